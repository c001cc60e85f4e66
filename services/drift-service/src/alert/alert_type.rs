use serde::{Deserialize, Serialize};

/// The reason for an alert.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
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
pub enum AlertType {
    DriftDetected,
    SeverityEscalated,
    ApprovalNeeded,
    RemediationFailed,
}
