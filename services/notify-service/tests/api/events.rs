//! Events of drift-service.

use chrono::Utc;
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::drift::{DriftCreated, DriftResolved, DriftSubject, DriftUpdated};
use uuid::Uuid;

pub(crate) fn subject(stack: &str, severity: Severity) -> DriftSubject {
    DriftSubject {
        stack: stack.into(),
        address: "aws_instance.web".into(),
        resource_id: "i-1".into(),
        resource_type: "aws_instance".into(),
        severity,
        fingerprint: format!("fingerprint of {stack}"),
    }
}

pub(crate) fn created(id: Uuid, stack: &str, severity: Severity) -> DriftCreated {
    DriftCreated {
        id,
        subject: subject(stack, severity),
        region: None,
        cost_impact_monthly: 0.0,
        detected_at: Utc::now(),
        status: Status::Detected,
        version: 1,
        account_id: None,
    }
}

pub(crate) fn updated(id: Uuid, version: i32, severity: Severity) -> DriftUpdated {
    DriftUpdated {
        id,
        subject: subject("prod", severity),
        status: Status::Detected,
        version,
        cost_impact_monthly: 0.0,
        region: None,
        account_id: None,
    }
}

pub(crate) fn resolved(id: Uuid) -> DriftResolved {
    DriftResolved {
        id,
        subject: subject("prod", Severity::Warning),
        status: Status::Resolved,
        resolved_at: Utc::now(),
        resolved_how: ResolvedHow::Auto,
        account_id: None,
    }
}
