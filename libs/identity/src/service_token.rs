//! How a token of a machine is told from one of a person: by its subject.

use uuid::Uuid;

const PREFIX: &str = "service:";

/// The `sub` of the service token of that id, which is also its `sid`.
pub fn service_subject(id: Uuid) -> String {
    format!("{PREFIX}{id}")
}

/// The id of the service token that has this `sub`, if one has.
pub fn service_token_id(subject: &str) -> Option<Uuid> {
    subject.strip_prefix(PREFIX)?.parse().ok()
}
