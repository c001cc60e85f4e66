//! The lines of `terraform plan -json`. They name the drifting resources, without ids and states.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use contracts::drift::Kind;
use contracts::scan::{Format, Tool};
use serde::Deserialize;

use super::document::Document;
use super::foreign::show_hint;
use crate::assess::{Context, Criteria};
use crate::entry::Entry;
use crate::error::ScanError;
use crate::redact::{Redactor, Secrets};
use crate::scan::{Origin, Scan};
use crate::scope::{Scope, Source};

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "@level")]
    level: Option<String>,
    #[serde(rename = "@timestamp")]
    timestamp: Option<DateTime<Utc>>,
    #[serde(rename = "type")]
    line_type: Option<String>,
    change: Option<LineChange>,
    terraform: Option<String>,
    tofu: Option<String>,
}

#[derive(Deserialize)]
struct LineChange {
    resource: Resource,
    previous_resource: Option<Resource>,
    action: String,
}

#[derive(Deserialize)]
struct Resource {
    addr: String,
    resource_type: Option<String>,
}

pub(super) fn read(
    documents: &[Document<'_>],
    scope: &Scope,
    criteria: Criteria<'_>,
) -> Result<Scan, ScanError> {
    let secrets = Secrets::none();
    let redactor = Redactor::new(&secrets, criteria.key);
    let context = Context::of(scope, criteria, &redactor);
    let origin = Origin::new(Tool::Unknown, None, Format::PlanLines);
    let mut scan = Scan { stack: scope.stack.clone(), origin, ..Scan::default() };
    let wanted = match scope.source {
        Source::Drift => "resource_drift",
        Source::Changes => "planned_change",
    };
    let mut changes: BTreeMap<String, LineChange> = BTreeMap::new();
    let mut has_ended = false;
    for document in documents {
        let line: Line = serde_json::from_str(&document.text)?;
        scan.taken_at = line.timestamp.or(scan.taken_at);
        for (tool, version) in [(Tool::Terraform, &line.terraform), (Tool::Opentofu, &line.tofu)] {
            if version.is_some() {
                scan.origin = Origin::new(tool, version.as_deref(), Format::PlanLines);
            }
        }
        match line.line_type.as_deref() {
            Some("diagnostic") if line.level.as_deref() == Some("error") => {
                return Err(ScanError::Unsupported(
                    "this run of `plan -json` errored, so it is only a part. Fix the error and plan again"
                        .into(),
                ));
            }
            Some("change_summary") => has_ended = true,
            Some(found) if found == wanted => {
                if let Some(change) = line.change {
                    changes.insert(change.resource.addr.clone(), change);
                }
            }
            _ => {}
        }
    }
    if !has_ended && changes.is_empty() {
        return Err(ScanError::Unsupported(format!(
            "these lines are of Terraform's UI stream (`-json`), and no plan was made in them. {}",
            show_hint()
        )));
    }
    scan.warn(format!(
        "the lines of `plan -json` name what drifts and lack the states, so no values are shown. {}",
        show_hint()
    ));
    scan.may_be_partial("the lines of `plan -json` do not state whether the plan is complete");
    for (address, change) in changes {
        let kind = match (change.action.as_str(), scope.source) {
            ("noop" | "read" | "move" | "forget" | "import", _) => {
                scan.skip("no change");
                continue;
            }
            ("delete", Source::Drift) | ("create", Source::Changes) => Kind::Missing,
            ("create", Source::Drift) | ("delete", Source::Changes) => Kind::Unmanaged,
            _ => Kind::Changed,
        };
        scan.count(scope.deadline)?;
        let fallback = || address.split('.').next().unwrap_or_default().to_owned();
        let resource_type = change.resource.resource_type.clone().unwrap_or_else(fallback);
        let entry = Entry {
            previous_address: change.previous_resource.map(|resource| resource.addr),
            lacks_states: true,
            is_planned: kind == Kind::Missing && scope.source == Source::Changes,
            ..Entry::new(kind, address, resource_type)
        };
        scan.add(entry, context)?;
    }
    Ok(scan)
}
