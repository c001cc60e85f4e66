//! The subject that distinguishes a machine's token from a person's.

use uuid::Uuid;

const PREFIX: &str = "service:";

/// Returns the `sub` of the service token with this id, which is also its `sid`.
pub fn service_subject(id: Uuid) -> String {
    format!("{PREFIX}{id}")
}

/// Returns the id of the service token that has this `sub`, if it is the subject of one.
pub fn service_token_id(subject: &str) -> Option<Uuid> {
    subject.strip_prefix(PREFIX)?.parse().ok()
}
