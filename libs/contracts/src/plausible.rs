use chrono::{DateTime, Datelike, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Whether a time is in the years that every part of the system can store and display: 1970 to 9999.
pub fn is_plausible(at: DateTime<Utc>) -> bool {
    (1970..=9999).contains(&at.year())
}

/// A time from outside, within the plausible years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Timestamp(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = DateTime::<Utc>::deserialize(deserializer)?;
        if is_plausible(at) {
            Ok(Self(at))
        } else {
            Err(D::Error::custom("must be between the years 1970 and 9999"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_from_outside_must_be_between_1970_and_9999_s67() {
        let read = |text: &str| serde_json::from_str::<Timestamp>(&format!("{text:?}"));
        for text in ["1970-01-01T00:00:00Z", "2026-11-26T12:00:00+01:00", "9999-12-31T23:59:59Z"] {
            assert!(read(text).is_ok(), "{text}");
        }
        for text in [
            "-4800-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "+10000-01-01T00:00:00Z",
            "soon",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
