use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Status};
use legacy::{ImportReport, SourceTime};
use serde::Deserialize;

/// The columns of a decision.
#[derive(Default, Deserialize)]
pub(super) struct LegacyDecision {
    status: Option<String>,
    approved_at: Option<SourceTime>,
    approved_by: Option<String>,
    approval_reason: Option<String>,
    rejected_at: Option<SourceTime>,
    rejected_by: Option<String>,
    rejection_reason: Option<String>,
    resolved_at: Option<SourceTime>,
    resolved_how: Option<String>,
}

/// A decision carried over: its actor, reason and time are the original ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CarriedDecision {
    pub status: Status,
    pub approved: Option<Made>,
    pub rejected: Option<Made>,
    pub resolved: Option<(DateTime<Utc>, ResolvedHow)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub at: DateTime<Utc>,
    pub by: Option<String>,
    pub reason: Option<String>,
}

impl CarriedDecision {
    /// Reads a decision. `changed_at` stands in for a time that the source lacks; `drift` names the drift in the report.
    pub(super) fn read(
        row: LegacyDecision,
        changed_at: DateTime<Utc>,
        drift: &str,
        report: &mut ImportReport,
    ) -> Self {
        let text = row.status.as_deref().unwrap_or_default();
        let status = match text.to_lowercase().as_str() {
            "triaged" => {
                report.remark("were triaged; they are detected here", drift);
                Status::Detected
            }
            status => status.parse().unwrap_or_else(|_error| {
                report.remark(
                    "have a status that is unknown here; they are detected",
                    format!("{drift}: {text}"),
                );
                Status::Detected
            }),
        };
        let made = |at: Option<SourceTime>, by: Option<String>, reason: Option<String>, is_current: bool| {
            let at = at.map(|SourceTime(at)| at).or(is_current.then_some(changed_at))?;
            Some(Made { at, by, reason })
        };
        let is = |one| status == one;
        let resolved_at = row.resolved_at.map(|SourceTime(at)| at).unwrap_or(changed_at);
        let how = row.resolved_how.as_deref().unwrap_or("manual");
        let known = how.to_lowercase().parse().ok().filter(|how| *how != ResolvedHow::Deleted);
        if known.is_none() && status == Status::Resolved {
            report.remark(
                "were resolved in a way that is unknown here; it is manual",
                format!("{drift}: {how}"),
            );
        }
        Self {
            status,
            approved: made(row.approved_at, row.approved_by, row.approval_reason, is(Status::Approved)),
            rejected: made(row.rejected_at, row.rejected_by, row.rejection_reason, is(Status::Rejected)),
            resolved: is(Status::Resolved).then(|| (resolved_at, known.unwrap_or(ResolvedHow::Manual))),
        }
    }

    /// The time of the last decision.
    pub(super) fn made_at(&self) -> Option<DateTime<Utc>> {
        [&self.approved, &self.rejected].into_iter().flatten().map(|made| made.at).max()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn read(row: Value) -> (CarriedDecision, String) {
        let mut report = ImportReport::of("drifts");
        let decision = serde_json::from_value(row).unwrap();
        let decision = CarriedDecision::read(decision, DateTime::UNIX_EPOCH, "vpc-1", &mut report);
        (decision, report.to_string())
    }

    #[rstest]
    #[case(json!({"status": "detected"}), Status::Detected)]
    #[case(json!({"status": "TRIAGED"}), Status::Detected)]
    #[case(json!({"status": "Approved"}), Status::Approved)]
    #[case(json!({"status": "rejected"}), Status::Rejected)]
    #[case(json!({"status": "resolved"}), Status::Resolved)]
    #[case(json!({"status": "snoozed"}), Status::Detected)]
    #[case(json!({"status": null}), Status::Detected)]
    fn every_status_has_one_here(#[case] row: Value, #[case] status: Status) {
        assert_eq!(read(row).0.status, status);
    }

    #[test]
    fn actor_reason_and_time_are_carried_over() {
        let row = json!({
            "status": "approved", "approved_at": "2025-01-02T03:04:05Z", "approved_by": "u1",
            "approval_reason": "as agreed", "rejected_at": "2024-12-01T00:00:00", "rejected_by": "u2",
        });
        let (decision, _) = read(row);
        let approved = decision.approved.unwrap();
        assert_eq!(approved.at.to_rfc3339(), "2025-01-02T03:04:05+00:00");
        assert_eq!((approved.by.as_deref(), approved.reason.as_deref()), (Some("u1"), Some("as agreed")));
        assert_eq!(decision.rejected.unwrap().by.as_deref(), Some("u2"));
        assert_eq!(decision.resolved, None);
    }

    #[test]
    fn what_is_lost_is_reported() {
        let (decision, report) = read(json!({"status": "snoozed"}));
        assert_eq!(decision.made_at(), None);
        assert!(report.contains("vpc-1: snoozed"), "{report}");
        assert_eq!(
            read(json!({"status": "resolved"})).0.resolved,
            Some((DateTime::UNIX_EPOCH, ResolvedHow::Manual))
        );
    }
}
