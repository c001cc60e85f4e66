use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity as passkey;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    id: Uuid,
    name: String,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    /// Whether the authenticator has a copy of the passkey elsewhere.
    backed_up: bool,
}

impl From<passkey::Model> for Passkey {
    fn from(row: passkey::Model) -> Self {
        let passkey::Model { id, name, created_at, last_used_at, is_backed_up, .. } = row;
        Self { id, name, created_at, last_used_at, backed_up: is_backed_up }
    }
}
