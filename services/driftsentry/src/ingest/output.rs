//! The output of the command.

use anyhow::Result;

use super::report::Report;
use crate::client::plain;

/// Maximum number of drifts that the table lists.
const MAX_ROWS: usize = 50;

#[expect(clippy::print_stdout, reason = "the report is the output of the command")]
pub(crate) fn print(report: &Report, base: &str, as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", plain(&serde_json::to_string(report)?));
        return Ok(());
    }
    print!("{}", table(report, base));
    Ok(())
}

fn table(report: &Report, base: &str) -> String {
    let mut lines = Vec::new();
    let dry = if report.dry_run { " (dry run: nothing was stored)" } else { "" };
    match report.stacks.as_slice() {
        [stack] => lines.push(format!("Stack {}{dry}", stack.stack)),
        stacks => {
            lines.push(format!("{} stacks{dry}", stacks.len()));
            for stack in stacks {
                lines.push(format!(
                    "  {}: {} new, {} changed, {} unchanged, {} resolved",
                    stack.stack, stack.created, stack.changed, stack.unchanged, stack.resolved
                ));
            }
        }
    }
    for (name, count, meaning) in [
        ("new", report.created, "drifts that are new"),
        ("changed", report.changed, "drifts with other values than before"),
        ("unchanged", report.unchanged, "drifts without a change"),
        ("resolved", report.resolved, "drifts that no longer exist"),
        ("ignored", report.ignored, "drifts that the ignore rules cover"),
        ("skipped", report.skipped, "entries without a drift"),
    ] {
        lines.push(format!("  {name:<10} {count:>6}  {meaning}"));
    }
    for (reason, count) in &report.skipped_reasons {
        lines.push(format!("    skipped {count}: {reason}"));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("  warning: {warning}")));
    if !report.failed.is_empty() {
        lines.push(format!("  not scanned: {}", report.failed.join(", ")));
    }
    lines.extend(drifts(report, base));
    lines.join("\n") + "\n"
}

fn drifts(report: &Report, base: &str) -> Vec<String> {
    if report.drifts.is_empty() {
        return Vec::new();
    }
    let shown = &report.drifts[..report.drifts.len().min(MAX_ROWS)];
    let width = shown.iter().map(|drift| drift.address.chars().count()).max().unwrap_or_default().min(60);
    let mut lines = vec![
        String::new(),
        format!("  {:<8}  {:<7}  {:<9}  {:<width$}  link", "severity", "change", "kind", "address"),
    ];
    for drift in shown {
        let change = if drift.change == "created" { "new" } else { drift.change.as_str() };
        let link = drift.link(base).unwrap_or_else(|| "-".into());
        let reason = drift.reason.as_ref().map(|reason| format!("  ({reason})")).unwrap_or_default();
        lines.push(format!(
            "  {:<8}  {change:<7}  {:<9}  {:<width$}  {link}{reason}",
            drift.severity, drift.kind, drift.address
        ));
    }
    let all = usize::try_from(report.created + report.changed).unwrap_or(usize::MAX);
    if all > shown.len() {
        lines.push(format!("  and {} more", all - shown.len()));
    }
    lines
}
