//! The alerts that a scan raises.

use chrono::{DateTime, Utc};
use contracts::drift::{Kind, Severity};
use contracts::events::alert::AlertType;
use scan::rules::Rules;

use crate::alert;
use crate::drift::entity::Model;

/// If a scan shows at least this many missing resources, one alert covers all of them.
const MANY_MISSING: usize = 10;

/// Whether a drift raises an alert. A drift of severity info with only computed changes never does.
pub fn raises_alert(rules: &Rules, severity: Severity, is_state_only: bool) -> bool {
    severity >= rules.alert_threshold && !(is_state_only && severity == Severity::Info)
}

/// Builds the alerts of new drifts: one each, except that many missing resources share one alert with a
/// count.
pub(super) fn of_new(drifts: &[Model], stack: &str, at: DateTime<Utc>) -> Vec<alert::entity::Model> {
    let (missing, others): (Vec<&Model>, Vec<&Model>) =
        drifts.iter().partition(|drift| drift.kind == Kind::Missing);
    let each = |drifts: Vec<&Model>| -> Vec<alert::entity::Model> {
        drifts.into_iter().map(|drift| alert::about(drift, AlertType::DriftDetected, at)).collect()
    };
    let mut alerts = each(others);
    if missing.len() < MANY_MISSING {
        alerts.extend(each(missing));
    } else {
        alerts.push(alert::about_missing(&missing, stack, at));
    }
    alerts
}
