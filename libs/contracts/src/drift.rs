//! The words that describe a drift, in events, in responses and in the database.

use crate::named::named;

named! {
    /// The way in which a resource drifts.
    pub enum Kind {
        /// The resource exists and differs from its declaration.
        Changed,
        /// The resource does not exist.
        Missing,
        /// The resource exists but is not declared.
        Unmanaged,
    }

    /// The severity of a drift. Ordered from least to most severe.
    pub enum Severity {
        Info,
        Warning,
        Critical,
    }

    /// The state of the decision on a drift.
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

    /// The way in which a drift was resolved.
    pub enum ResolvedHow {
        /// A person resolved it.
        Manual,
        /// A scan showed the resource without a difference, or a complete scan did not show it.
        Auto,
        /// A scan found a different actual state than the decision covers.
        Superseded,
        /// The current rules ignore the drift.
        Ignored,
        /// An admin deleted the drift. Only in events: no drift remains that could have it.
        Deleted,
    }
}

impl Severity {
    /// The rank of the severity, by which the database sorts.
    pub const fn rank(self) -> i16 {
        self as i16
    }
}
