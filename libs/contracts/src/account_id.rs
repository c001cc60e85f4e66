use std::ops::Deref;

use serde::{Deserialize, Serialize};

// An id in a token or event of another back end is taken as it is. An id that a person or a scan gives must be valid.
/// The id of a cloud account. Users of the account receive the events about its drifts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "database", derive(sea_orm::DeriveValueType))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(pattern = "^[A-Za-z0-9._:-]{1,64}$"))]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// The condition of [`is_valid`](Self::is_valid), as part of an error message.
    pub const RULE: &str = "must have 1 to 64 letters, digits, - _ . or :, and not be global";
    /// Stands for "no account" in the names of rooms.
    pub const NONE: &str = "global";

    /// Whether an id can be part of a room's name without being taken for something else.
    pub fn is_valid(id: &str) -> bool {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
            && id != Self::NONE
    }
}

impl Deref for AccountId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for AccountId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for AccountId {
    fn from(id: String) -> Self {
        Self(id)
    }
}
