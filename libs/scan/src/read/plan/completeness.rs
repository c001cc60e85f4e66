//! Checks whether absence from a plan means that a resource no longer drifts, and whether the plan has the
//! requested data.

use super::document::{Plan, present};
use crate::error::ScanError;
use crate::scan::Scan;
use crate::scope::{Scope, Source};

/// Refuses a plan whose format lacks the requested list.
pub(super) fn check_format(plan: &Plan<'_>, scope: &Scope) -> Result<(), ScanError> {
    let is_first_format = plan.format_version.as_deref() == Some("0.1");
    if is_first_format && scope.source == Source::Drift && present(plan.resource_drift).is_none() {
        return Err(ScanError::Unsupported(
            "plans of this format (0.1, of Terraform 0.12 to 0.15) have no list of drifts. Plan with Terraform 1.1 or \
             later, or send it with source=changes"
                .into(),
        ));
    }
    Ok(())
}

/// Records the reasons why a resource that is absent from this plan may still drift.
pub(super) fn note(plan: &Plan<'_>, source: Source, scan: &mut Scan) {
    if matches!(plan.format_version.as_deref(), Some("0.1" | "0.2")) {
        scan.warn(
            "this version of Terraform does not mark every sensitive value: secrets are found by their names and looks. \
             Terraform 1.1 or later marks them"
                .into(),
        );
    }
    if plan.complete == Some(false) {
        return scan.is_partial("the plan is targeted or otherwise partial");
    }
    if plan.complete.is_none() {
        if is_cut_down(plan) {
            scan.warn(
                "the plan was cut down after it was made: it has neither `complete` nor `errored`. Whether it was \
                 targeted cannot be told"
                    .into(),
            );
        } else {
            scan.may_be_partial(
                "the plan does not state whether it is complete (OpenTofu, and Terraform before 1.8, do not), so one \
                 made with -target looks the same. If it covers the whole stack, add assumeComplete=true",
            );
        }
    }
    let found_drift = present(plan.resource_drift).is_some_and(|drift| drift.get().contains('{'));
    let is_refresh_only = present(plan.resource_changes).is_none();
    // A plan made with -refresh=false has the same keys as a clean one. It counts as clean only if it shows
    // that Terraform refreshed: it contains drift, or has the refresh-only form, which lacks `resource_changes`.
    if source == Source::Drift && !found_drift && !is_refresh_only {
        scan.may_be_partial(
            "a plan without drift looks like one made with -refresh=false. Send a plan made with -refresh-only, or add \
             assumeComplete=true",
        );
    }
}

/// Whether the plan lacks keys that its tool always writes: Terraform since 1.8 writes `complete`, and
/// OpenTofu always writes `errored`.
fn is_cut_down(plan: &Plan<'_>) -> bool {
    let version = plan.terraform_version.as_deref().unwrap_or_default();
    let mut numbers = version.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or_default());
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    version >= (1, 8) && plan.errored.is_none()
}
