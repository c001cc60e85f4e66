//! The actions that people may take on a drift, and the status that follows each.

use contracts::drift::Status;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

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

impl Action {
    /// Returns the actions that are allowed in a status.
    pub fn allowed_in(status: Status) -> Vec<Self> {
        Self::iter().filter(|action| action.follows(status).is_some()).collect()
    }

    /// Returns the status that follows `status`; `None` if the action is not allowed in it.
    pub const fn follows(self, status: Status) -> Option<Status> {
        match (status, self) {
            (Status::Detected, Self::Approve) => Some(Status::Approved),
            (Status::Detected, Self::Reject) => Some(Status::Rejected),
            (Status::Detected | Status::Approved | Status::Rejected, Self::Resolve) => Some(Status::Resolved),
            (Status::Approved | Status::Rejected, Self::Reopen) => Some(Status::Detected),
            _ => None,
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
                [Approve, Reject, Resolve, Reopen].map(|action| action.follows(from)),
                outcomes,
                "{from:?}"
            );
        }
        assert_eq!(Action::allowed_in(Resolved), []);
        assert_eq!(Action::allowed_in(Detected), [Approve, Reject, Resolve]);
    }
}
