//! The words that describe scans and the stacks that they cover.

use crate::named::named;

named! {
    /// The state of knowledge about a stack, and what it shows. Ordered from best to worst.
    pub enum StackStatus {
        /// The last scan covered the whole stack, and no drift needs attention.
        Clean,
        /// Some drifts are undecided, or rejected and still there.
        Drifted,
        /// The last scan did not cover the whole stack, so that there may be unknown drifts.
        Blind,
        /// The next scan is overdue.
        Silent,
    }

    /// The part of its stack that a scan covered.
    pub enum Completeness {
        Complete,
        /// Resources that the scan does not show may drift.
        Partial,
        /// The upload was refused, such as a plan that errored.
        Failed,
    }

    /// The program that made a scan.
    pub enum Tool {
        Terraform,
        Opentofu,
        Driftctl,
        Unknown,
    }

    /// The format of an upload.
    pub enum Format {
        /// `terraform show -json`.
        Plan,
        /// The lines of `terraform plan -json`.
        PlanLines,
        Driftctl,
        Unknown,
    }
}
