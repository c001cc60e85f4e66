use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::client::plain;

/// Maximum number of drifts that each table lists.
const MAX_ROWS: usize = 50;
const MAX_PATHS: usize = 3;

/// The response to a plan. Texts are not safe to print.
#[derive(Debug, Deserialize)]
pub(super) struct GuardReport {
    stack: String,
    pub verdict: Verdict,
    undoes: Vec<Drift>,
    touches: Vec<Drift>,
    repairs: Vec<Drift>,
    warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Clear,
    Review,
    Stop,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Drift {
    id: String,
    address: String,
    severity: String,
    action: String,
    paths: Vec<Vec<Value>>,
    decided_by: Option<String>,
    decided_at: Option<String>,
    reason: Option<String>,
}

impl GuardReport {
    pub(super) fn read(response: Value) -> Result<Self> {
        Ok(serde_json::from_value(response)?)
    }

    /// Returns the report as a table, without control characters.
    pub(super) fn table(&self, base: &str) -> String {
        let verdict = match self.verdict {
            Verdict::Clear => "clear: the plan undoes no approved drift and touches no undecided one",
            Verdict::Review => "review: decide on these drifts before the plan is applied",
            Verdict::Stop => "stop: the plan undoes approved drifts",
        };
        let mut lines = vec![format!("Stack {}: {verdict}", self.stack)];
        lines.extend(self.warnings.iter().map(|warning| format!("  warning: {warning}")));
        for (title, drifts) in [
            ("Undoes approved drifts", &self.undoes),
            ("Touches drifts that are not decided", &self.touches),
            ("Repairs rejected drifts", &self.repairs),
        ] {
            lines.extend(table(title, drifts, base));
        }
        lines.iter().map(|line| plain(line) + "\n").collect()
    }
}

fn table(title: &str, drifts: &[Drift], base: &str) -> Vec<String> {
    if drifts.is_empty() {
        return Vec::new();
    }
    let shown = &drifts[..drifts.len().min(MAX_ROWS)];
    let width = shown.iter().map(|drift| drift.address.chars().count()).max().unwrap_or_default().min(60);
    let mut lines = vec![String::new(), format!("  {title}:")];
    for drift in shown {
        let (paths, link) = (paths(&drift.paths), format!("{base}/#/drifts/{}", drift.id));
        lines.push(format!(
            "  {:<8}  {:<7}  {:<width$}  {link}{paths}",
            drift.severity, drift.action, drift.address
        ));
        lines.extend(decision(drift));
    }
    if drifts.len() > shown.len() {
        lines.push(format!("  and {} more", drifts.len() - shown.len()));
    }
    lines
}

fn decision(drift: &Drift) -> Option<String> {
    let by = drift.decided_by.as_ref()?;
    let at = drift.decided_at.as_deref().unwrap_or("an unknown time");
    Some(format!("      decided by {by} at {at}: {}", drift.reason.as_deref().unwrap_or("no reason")))
}

fn paths(paths: &[Vec<Value>]) -> String {
    let dotted = |path: &Vec<Value>| {
        let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), Into::into);
        path.iter().map(step).collect::<Vec<String>>().join(".")
    };
    let mut shown: Vec<String> = paths.iter().take(MAX_PATHS).map(dotted).collect();
    if paths.len() > MAX_PATHS {
        shown.push(format!("{} more", paths.len() - MAX_PATHS));
    }
    if shown.is_empty() { String::new() } else { format!("  ({})", shown.join(", ")) }
}
