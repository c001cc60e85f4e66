//! The event catalogue: one struct per channel that our services publish on. Only these fields are ever
//! published. Tokens, hashes, resource states and reasons in free text have no field.

pub mod alert;
pub mod auth;
pub mod drift;
pub mod notification;
pub mod scan;
pub mod stack;

/// The channels whose messages are in the log, as patterns of `PSUBSCRIBE`, except
/// [`UNLOGGED_CHANNELS`]. A reader must receive all of them: a channel left out would look like a gap.
pub const LOGGED_CHANNELS: [&str; 6] =
    ["auth:*", "drift:*", "alert:*", "stack:*", "scan:*", "notification:*"];

/// Channels of cheap, frequent events. Their events are published without a position, so that one busy user
/// cannot push other users' events out of the log.
pub const UNLOGGED_CHANNELS: [&str; 4] = [
    "auth:token.refreshed",
    "auth:session.activity_updated",
    "drift:deciding",
    "notification:receipt_wanted",
];

/// Whether messages of this channel are in the log. Only logged messages may carry a position.
pub fn is_logged(channel: &str) -> bool {
    matches_logged_pattern(channel) && !UNLOGGED_CHANNELS.contains(&channel)
}

/// Whether every process receives this channel, because one of [`LOGGED_CHANNELS`] matches it.
pub fn matches_logged_pattern(channel: &str) -> bool {
    LOGGED_CHANNELS.iter().any(|pattern| channel.starts_with(pattern.trim_end_matches('*')))
}

/// Connects a payload struct to its channel and to the fields that route it.
macro_rules! event {
    ($name:ident, $type:literal $(, $field:ident)*) => {
        impl crate::Event for $name {
            const TYPE: &'static str = $type;
            $(crate::events::routed_by!($field);)*
        }
    };
}
/// Generates the method of `Event` that returns the field.
macro_rules! routed_by {
    (user_id) => {
        fn user_id(&self) -> Option<String> {
            Some(self.user_id.to_string())
        }
    };
    (account_id) => {
        fn account_id(&self) -> Option<crate::AccountId> {
            self.account_id.clone()
        }
    };
}
use event;
use routed_by;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn frequent_events_are_not_logged() {
        assert!(
            is_logged(auth::SessionDeleted::TYPE) && is_logged("drift:created") && is_logged("alert:read")
        );
        assert!(!is_logged(auth::TokenRefreshed::TYPE) && !is_logged(auth::SessionActivityUpdated::TYPE));
        assert!(!is_logged("ws:user:1") && !is_logged("dashboard:error") && !is_logged("authentic"));
    }
}
