//! Drifts: what they are, and what may happen to them.

pub mod entity;

mod decide;
mod handlers;
mod list;
pub mod new;
mod view;

use serde::{Deserialize, Serialize};

pub use decide::Decision;
pub use handlers::*;
pub use view::DriftView;

/// What is wrong with the resource.
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
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
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
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has decided yet.
    #[sea_orm(string_value = "detected")]
    Detected,
    /// This actual state is accepted.
    #[sea_orm(string_value = "approved")]
    Approved,
    /// This actual state is not wanted and must go.
    #[sea_orm(string_value = "rejected")]
    Rejected,
    /// It is over. Final.
    #[sea_orm(string_value = "resolved")]
    Resolved,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Detected, Self::Approved, Self::Rejected, Self::Resolved];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Resolved => "resolved",
        }
    }

    /// What people may do to a drift in this status.
    pub fn allowed(self) -> Vec<Action> {
        Action::ALL.into_iter().filter(|action| self.after(*action).is_some()).collect()
    }

    /// The status that an action leads to, where it is allowed.
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

/// What people do to drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Approve,
    Reject,
    Resolve,
    Reopen,
}

impl Action {
    pub const ALL: [Self; 4] = [Self::Approve, Self::Reject, Self::Resolve, Self::Reopen];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
        }
    }
}

/// What ended a drift.
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
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "lowercase")]
pub enum ResolvedHow {
    /// Somebody said so.
    #[sea_orm(string_value = "manual")]
    Manual,
    /// A complete scan did not find it any more.
    #[sea_orm(string_value = "auto")]
    Auto,
    /// A scan found another actual state than the one that was decided on.
    #[sea_orm(string_value = "superseded")]
    Superseded,
}

impl ResolvedHow {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::Superseded => "superseded",
        }
    }
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
