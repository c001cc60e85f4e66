use std::collections::HashMap;

use contracts::drift::Status;
use scan::{Scan, Touch, Touched, touched_by};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::report::{GuardReport, GuardedDrift};
use crate::drift::content;
use crate::drift::live::{self, Decided, Live, Shown};
use crate::stack;

/// Compares a plan with the live drifts of its stack.
pub(super) async fn check(db: &impl ConnectionTrait, mut scan: Scan) -> Result<GuardReport, DbErr> {
    let mut warnings = std::mem::take(&mut scan.warnings);
    if !stack::scope::has_scan(db, &scan.stack).await? {
        warnings.push(
            "no scan of this stack is stored, so that its drifts may be unknown: check the name of the stack"
                .into(),
        );
    }
    let drifts = live::of_stack(db, &scan.stack).await?;
    // Without decidable paths, the shown ones tell whether there are any.
    let lacks_paths = |drift: &&Live| drift.decidable.as_deref() == Some("[]");
    let ids: Vec<Uuid> = drifts.iter().filter(lacks_paths).map(|drift| drift.id).collect();
    let shown: HashMap<Uuid, Shown> =
        live::shown(db, &ids).await?.into_iter().map(|shown| (shown.id, shown)).collect();
    let stored: Vec<scan::Stored<Uuid>> =
        drifts.iter().map(|drift| content::to_stored(drift, shown.get(&drift.id))).collect();
    let touched = touched_by(&scan, &stored);
    let ids: Vec<Uuid> = touched.iter().map(|touched| touched.id).collect();
    // Read last, because decisions are made meanwhile.
    let decided = live::decided(db, &ids).await?;
    let mut decided: HashMap<Uuid, Decided> = decided.into_iter().map(|drift| (drift.id, drift)).collect();
    let mut report = GuardReport::new(scan.stack, warnings);
    for touched in touched {
        if let Some(drift) = decided.remove(&touched.id) {
            add(&mut report, touched, drift);
        }
    }
    Ok(report.finish(scan.has_unread_entries))
}

fn add(report: &mut GuardReport, touched: Touched<Uuid>, drift: Decided) {
    let (list, decision) = match (drift.status, touched.touch) {
        (Status::Detected, _) => (&mut report.touches, (None, None, None)),
        (Status::Approved, Touch::Drift) => {
            (&mut report.undoes, (drift.approved_by, drift.approved_at, drift.approved_reason))
        }
        // Nobody has decided on the value that the plan changes, or it is not known whether somebody has.
        (Status::Approved, Touch::Unclear) => {
            (&mut report.touches, (drift.approved_by, drift.approved_at, drift.approved_reason))
        }
        (Status::Rejected, Touch::Drift | Touch::Unclear) => {
            (&mut report.repairs, (drift.rejected_by, drift.rejected_at, drift.rejected_reason))
        }
        (Status::Approved | Status::Rejected, Touch::Resource) | (Status::Resolved, _) => return,
    };
    let (decided_by, decided_at, reason) = decision;
    list.push(GuardedDrift {
        id: drift.id,
        address: drift.address,
        status: drift.status,
        severity: drift.severity,
        action: touched.action.into(),
        paths: touched.paths,
        decided_by,
        decided_at,
        reason,
    });
}
