//! The event catalogue: one struct per channel that our services publish on. A field that is not
//! here is never published; tokens, hashes, states and reasons in free text have no field.

pub mod alert;
pub mod auth;
pub mod drift;

/// The channels whose messages are in the log, as patterns of `PSUBSCRIBE`. A reader must hear all
/// of them, or it would take the others for holes.
pub const LOGGED_CHANNELS: [&str; 3] = ["auth:*", "drift:*", "alert:*"];

/// Ties a payload struct to its channel and, where one is given, to the field that routes it.
macro_rules! event {
    ($name:ident, $type:literal) => {
        impl crate::Event for $name {
            const TYPE: &'static str = $type;
        }
    };
    ($name:ident, $type:literal, user_id) => {
        impl crate::Event for $name {
            const TYPE: &'static str = $type;
            fn user_id(&self) -> Option<String> {
                Some(self.user_id.to_string())
            }
        }
    };
    ($name:ident, $type:literal, account_id) => {
        impl crate::Event for $name {
            const TYPE: &'static str = $type;
            fn account_id(&self) -> Option<String> {
                self.account_id.clone()
            }
        }
    };
}
use event;
