//! Enums of `contracts` as string columns, under the names that events and responses use.

use contracts::Role;
use contracts::events::auth::EndReason;
use sea_orm::DeriveValueType;

#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveValueType)]
#[sea_orm(value_type = "String", from_str = "StoredRole::named", to_str = "StoredRole::name")]
pub struct StoredRole(pub Role);

#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveValueType)]
#[sea_orm(value_type = "String", from_str = "StoredReason::named", to_str = "StoredReason::name")]
pub struct StoredReason(pub EndReason);

#[derive(Debug, thiserror::Error)]
#[error("the database contains an unknown name")]
pub struct UnknownName;

impl StoredRole {
    fn named(name: &str) -> Result<Self, UnknownName> {
        name.parse().map(Self).map_err(|_| UnknownName)
    }

    fn name(&self) -> &'static str {
        self.0.into_str()
    }
}

impl StoredReason {
    fn named(name: &str) -> Result<Self, UnknownName> {
        name.parse().map(Self).map_err(|_| UnknownName)
    }

    fn name(&self) -> &'static str {
        self.0.into_str()
    }
}
