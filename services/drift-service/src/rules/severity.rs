use serde::{Deserialize, Serialize};

/// How bad a drift is. Ordered.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
    strum::EnumIter,
    sea_orm::DeriveActiveEnum,
    strum::IntoStaticStr,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    /// Its place in the order, for the database to sort by.
    pub const fn rank(self) -> i16 {
        self as i16
    }
}
