//! Annotations for the pages of CI services.

use std::env;
use std::fs;

use anyhow::{Context, Result};
use serde_json::json;

use super::report::{ListedDrift, Report};

/// GitHub shows at most ten annotations of each kind.
const MAX_ANNOTATIONS: usize = 10;
const GITLAB_FILE: &str = "gl-driftsentry-annotations.json";

/// Writes annotations for the CI service that this process runs in, if any.
pub(crate) fn write(report: &Report, base: &str) -> Result<()> {
    let is_set = |name| env::var(name).is_ok_and(|value| value == "true");
    if is_set("GITHUB_ACTIONS") {
        print_github(report, base);
    }
    if is_set("GITLAB_CI") {
        fs::write(GITLAB_FILE, gitlab(report, base))
            .with_context(|| format!("cannot write {GITLAB_FILE}"))?;
    }
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "GitHub also reads commands from standard error, and standard output may be JSON"
)]
fn print_github(report: &Report, base: &str) {
    for line in github(report, base) {
        eprintln!("{line}");
    }
}

fn github(report: &Report, base: &str) -> Vec<String> {
    let line = |drift: &ListedDrift| {
        let level = match drift.severity.as_str() {
            "critical" => "error",
            "warning" => "warning",
            _ => "notice",
        };
        let link = drift.link(base).map(|link| format!(" {link}")).unwrap_or_default();
        let text = format!("{} ({}){link}", drift.address, drift.reason.as_deref().unwrap_or(&drift.kind));
        format!("::{level} title={}::{}", property(&format!("Drift in {}", drift.stack)), data(&text))
    };
    report.drifts.iter().take(MAX_ANNOTATIONS).map(line).collect()
}

/// Escapes text, so that a plan cannot end the command or start another one.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn gitlab(report: &Report, base: &str) -> String {
    let link = |drift: &ListedDrift| {
        let label = format!("{}: {} in {}", drift.severity, drift.address, drift.stack);
        Some(json!({"external_link": {"label": label, "url": drift.link(base)?}}))
    };
    json!({"Drift": report.drifts.iter().filter_map(link).collect::<Vec<_>>()}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_name_the_drift_and_run_no_command_of_a_plan_s76() {
        let drift = |address: &str| ListedDrift {
            id: Some("7".into()),
            stack: "a,b".into(),
            address: address.into(),
            severity: "critical".into(),
            kind: "missing".into(),
            ..ListedDrift::default()
        };
        let report =
            Report { drifts: vec![drift("aws_x.y"), drift("x\n::stop-commands::100%")], ..Report::default() };
        let lines = github(&report, "https://d");
        assert_eq!(lines[0], "::error title=Drift in a%2Cb::aws_x.y (missing) https://d/#/drifts/7");
        assert!(!lines[1].contains('\n') && lines[1].contains("%0A") && lines[1].contains("100%25"));
        assert!(gitlab(&report, "https://d").contains(r#""url":"https://d/#/drifts/7""#));
    }
}
