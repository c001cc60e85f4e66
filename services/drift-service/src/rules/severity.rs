use serde::{Deserialize, Serialize};

/// The severity of a drift, as the database and the API name it. Ordered from least to most severe.
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
    /// The rank of the severity, by which the database sorts.
    pub const fn rank(self) -> i16 {
        self as i16
    }
}

impl From<scan::Severity> for Severity {
    fn from(severity: scan::Severity) -> Self {
        match severity {
            scan::Severity::Info => Self::Info,
            scan::Severity::Warning => Self::Warning,
            scan::Severity::Critical => Self::Critical,
        }
    }
}

impl From<Severity> for scan::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}
