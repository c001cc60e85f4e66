//! Drifts: what they are, and what may happen to them.

use serde::{Deserialize, Serialize};

/// What is wrong with the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is there, and differs.
    #[sea_orm(string_value = "changed")]
    Changed,
    /// It is gone.
    #[sea_orm(string_value = "missing")]
    Missing,
    /// It is there and nobody declared it.
    #[sea_orm(string_value = "unmanaged")]
    Unmanaged,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Unmanaged => "unmanaged",
        }
    }
}
