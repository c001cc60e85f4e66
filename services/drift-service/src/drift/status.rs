//! The kinds and statuses of drifts, and the actions that people may take.

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

/// The way in which a resource drifts.
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
pub enum Kind {
    /// The resource exists and differs from its declaration.
    Changed,
    /// The resource does not exist.
    Missing,
    /// The resource exists but is not declared.
    Unmanaged,
}

impl From<scan::Kind> for Kind {
    fn from(kind: scan::Kind) -> Self {
        match kind {
            scan::Kind::Changed => Self::Changed,
            scan::Kind::Missing => Self::Missing,
            scan::Kind::Unmanaged => Self::Unmanaged,
        }
    }
}

impl From<Kind> for scan::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Changed => Self::Changed,
            Kind::Missing => Self::Missing,
            Kind::Unmanaged => Self::Unmanaged,
        }
    }
}

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
pub enum Status {
    /// No decision has been made yet.
    Detected,
    /// The actual state is accepted.
    Approved,
    /// The actual state must be reverted.
    Rejected,
    /// The drift no longer exists. This status is final.
    Resolved,
}

impl Status {
    /// Returns the actions that are allowed in this status.
    pub fn allowed(self) -> Vec<Action> {
        Action::iter().filter(|action| self.after(*action).is_some()).collect()
    }

    /// Returns the status after an action; `None` if the action is not allowed.
    pub const fn after(self, action: Action) -> Option<Self> {
        match (self, action) {
            (Self::Detected, Action::Approve) => Some(Self::Approved),
            (Self::Detected, Action::Reject) => Some(Self::Rejected),
            (Self::Detected | Self::Approved | Self::Rejected, Action::Resolve) => Some(Self::Resolved),
            (Self::Approved | Self::Rejected, Action::Reopen) => Some(Self::Detected),
            _ => None,
        }
    }
}

/// An action of a person on a drift.
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
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Action {
    Approve,
    Reject,
    Resolve,
    Reopen,
}

/// The way in which a drift was resolved.
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
pub enum ResolvedHow {
    /// A person resolved it.
    Manual,
    /// A scan showed the resource without a difference, or a complete scan did not show it.
    Auto,
    /// A scan found a different actual state than the decision covers.
    Superseded,
    /// The current rules ignore the drift.
    Ignored,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_machine_is_the_published_table() {
        use Action::{Approve, Reject, Reopen, Resolve};
        use Status::{Approved, Detected, Rejected, Resolved};
        let table = [
            (Detected, [Some(Approved), Some(Rejected), Some(Resolved), None]),
            (Approved, [None, None, Some(Resolved), Some(Detected)]),
            (Rejected, [None, None, Some(Resolved), Some(Detected)]),
            (Resolved, [None, None, None, None]),
        ];
        for (from, outcomes) in table {
            assert_eq!(
                [Approve, Reject, Resolve, Reopen].map(|action| from.after(action)),
                outcomes,
                "{from:?}"
            );
        }
        assert_eq!(Resolved.allowed(), []);
        assert_eq!(Detected.allowed(), [Approve, Reject, Resolve]);
    }
}
