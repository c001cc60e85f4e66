//! The plan JSON of Terraform and OpenTofu (`terraform show -json plan`), formats 0.1, 0.2 and 1.x.
//!
//! The text is read in two passes. The first collects the secrets and relates the two lists to each other.
//! The second reads the entries one by one. The plan is not kept.

mod completeness;
mod document;
mod expressions;
mod lists;
mod providers;
mod secrets;

#[cfg(test)]
pub(crate) use secrets::add as add_secrets;

use contracts::drift::Kind;
use contracts::scan::{Format, Tool};

use super::state::read_state;
use super::stream::each_item;
use crate::assess::{Context, Criteria};
use crate::entry::Entry;
use crate::error::ScanError;
use crate::json::Json;
use crate::redact::Redactor;
use crate::scan::{Origin, Scan};
use crate::scope::{Scope, Source};
use crate::sensitive_marks::Marks;
use document::{Plan, Resource, ResourceChange, present};
use lists::Lists;
use providers::Providers;

const NO_CHANGES: &str =
    "the plan has no `resource_changes`, as a plan made with -refresh-only has none: it changes no resource";

/// The meaning of an entry's actions.
enum Meaning {
    Drift(Kind),
    /// The entry is not a drift, for this reason.
    None(&'static str),
    /// An action is not known.
    Unknown,
}

pub(super) fn read(upload: &str, scope: &Scope, criteria: Criteria<'_>) -> Result<Scan, ScanError> {
    let plan: Plan<'_> = serde_json::from_str(upload)?;
    completeness::check_format(&plan, scope)?;
    let secrets = secrets::find(&plan)?;
    let redactor = Redactor::new(&secrets, criteria.key);
    let lists = Lists::read(&plan, scope.source)?;
    let providers = Providers::read(&plan)?;
    let context = Context::of(scope, criteria, &redactor);

    let origin = Origin::new(tool(upload), plan.terraform_version.as_deref(), Format::Plan);
    let mut scan = Scan { stack: scope.stack.clone(), taken_at: plan.timestamp, origin, ..Scan::default() };
    completeness::note(&plan, scope.source, &mut scan);
    let entries = match scope.source {
        Source::Drift => plan.resource_drift,
        Source::Changes => plan.resource_changes,
    };
    let Some(entries) = present(entries) else {
        if scope.is_planned {
            scan.warn(NO_CHANGES.into());
        }
        return Ok(scan);
    };
    each_item(entries, |resource: Resource<'_>| {
        add(resource, &providers, &lists, context, scope, &mut scan)
    })?;
    Ok(scan)
}

/// OpenTofu calls its version `terraform_version`, too. Its providers come from another registry.
fn tool(upload: &str) -> Tool {
    if upload.contains("registry.opentofu.org/") { Tool::Opentofu } else { Tool::Terraform }
}

fn add(
    resource: Resource<'_>,
    providers: &Providers,
    lists: &Lists,
    context: Context<'_>,
    scope: &Scope,
    scan: &mut Scan,
) -> Result<(), ScanError> {
    if resource.mode.as_deref() == Some("data") {
        scan.skip("data source");
        return Ok(());
    }
    let meaning = meaning(&resource.change.actions, scope.source);
    if let Meaning::None(reason) = meaning {
        scan.skip(reason);
        return Ok(());
    }
    scan.count(scope.deadline)?;
    let Meaning::Drift(kind) = meaning else {
        scan.skip_unread("unknown action", &context.redactor.address(&resource.address));
        return Ok(());
    };
    let is_replaced = scope.is_planned && resource.change.actions.len() > 1;
    let provider = providers.of(&resource.address, resource.provider_name.as_deref());
    let ResourceChange { before, after, before_sensitive, after_sensitive, after_unknown, .. } =
        resource.change;
    let (before, after) = match (read_state(before), read_state(after)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(error), _) | (_, Err(error)) => {
            scan.skip_unread(error.reason(), &context.redactor.address(&resource.address));
            return Ok(());
        }
    };
    let trees = [before_sensitive, after_sensitive, after_unknown].map(read_marks);
    let [before_marks, after_marks, unknown] = &trees;
    let [before_marks, after_marks, unknown] =
        [before_marks, after_marks, unknown].map(|tree| Marks::new(tree.as_ref()));
    // Before and after have opposite meanings in the two lists.
    let (expected, actual) = match scope.source {
        Source::Drift => ((before, before_marks, Marks::NONE), (after, after_marks)),
        // A value that is not known before the plan is applied is absent from `after`, so that it differs.
        Source::Changes if scope.is_planned => ((after, after_marks, Marks::NONE), (before, before_marks)),
        Source::Changes => ((after, after_marks, unknown), (before, before_marks)),
    };
    let entry = Entry {
        previous_address: resource.previous_address.or_else(|| lists.previous_address(&resource.address)),
        expected: expected.0,
        expected_marks: expected.1,
        unknown: expected.2,
        actual: actual.0,
        actual_marks: actual.1,
        provider,
        is_state_only: lists.is_untouched(&resource.address),
        is_replaced,
        is_planned: scope.source == Source::Changes
            && kind == Kind::Missing
            && !lists.is_deleted(&resource.address),
        ..Entry::new(kind, resource.address, resource.resource_type)
    };
    scan.add(entry, context)
}

fn meaning(actions: &[String], source: Source) -> Meaning {
    use Source::{Changes, Drift};
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    match (actions.as_slice(), source) {
        (["no-op"], _) => Meaning::None("no-op"),
        (["read"], _) => Meaning::None("read"),
        (["forget"], _) => Meaning::None("forget"),
        (["update"] | ["delete", "create"] | ["create", "delete"] | ["create", "forget"], _) => {
            Meaning::Drift(Kind::Changed)
        }
        (["delete"], Drift) | (["create"], Changes) => Meaning::Drift(Kind::Missing),
        (["create"], Drift) | (["delete"], Changes) => Meaning::Drift(Kind::Unmanaged),
        _ => Meaning::Unknown,
    }
}

/// Parses marks. Absent marks, and marks in another form than a tree of `true`, mean unmarked.
fn read_marks(raw: Option<&serde_json::value::RawValue>) -> Option<Json> {
    Json::parse(raw?).ok().filter(|tree| !tree.is_empty())
}

#[cfg(test)]
mod tests;
