use std::str::FromStr;

use serde_json::Value;
use uuid::Uuid;

/// The payload of an event. A key that it should have may be missing, because any publisher may publish an event.
#[derive(Clone, Copy)]
pub(super) struct Payload<'a>(pub(super) &'a Value);

impl<'a> Payload<'a> {
    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.0[key].as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn number(self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap_or_default()
    }

    /// Returns the value as one of the words of an enum.
    pub(super) fn word<T: FromStr>(self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    /// Returns an id, unless it is the id of a sample.
    pub(super) fn id(self, key: &str) -> Option<Uuid> {
        self.word(key).filter(|id: &Uuid| !id.is_nil())
    }
}
