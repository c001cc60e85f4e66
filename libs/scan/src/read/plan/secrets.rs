//! The secrets of a plan: every marked value, in every part of the plan, and the root variables that are
//! marked sensitive.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::document::{Plan, Resource, present};
use crate::error::ScanError;
use crate::json::Json;
use crate::limits::MAX_ENTRIES;
use crate::read::stream::{each_field, each_item};
use crate::redact::{Secrets, SecretsCollector};
use crate::sensitive_marks::Marks;

/// Far beyond real plans, whose modules nest only a few levels deep.
const MAX_MODULE_DEPTH: usize = 64;

pub(super) fn find(plan: &Plan<'_>) -> Result<Secrets, ScanError> {
    let mut secrets = SecretsCollector::default();
    for entries in [plan.resource_drift, plan.resource_changes].into_iter().filter_map(present) {
        each_item(entries, |resource: Resource<'_>| {
            add(resource.change.before, resource.change.before_sensitive, &mut secrets)?;
            add(resource.change.after, resource.change.after_sensitive, &mut secrets)
        })?;
    }
    if let Some(outputs) = present(plan.output_changes) {
        each_field(outputs, |_, change: OutputChange<'_>| {
            add(change.before, change.before_sensitive, &mut secrets)?;
            add(change.after, change.after_sensitive, &mut secrets)
        })?;
    }
    let prior = plan.prior_state.as_ref().and_then(|state| state.values);
    for values in [plan.planned_values, prior].into_iter().filter_map(present) {
        add_values(values, &mut secrets)?;
    }
    add_variables(plan, &mut secrets)?;
    Ok(secrets.finish()?)
}

#[derive(Deserialize)]
struct OutputChange<'a> {
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
    before_sensitive: Option<&'a RawValue>,
    after_sensitive: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    outputs: Option<&'a RawValue>,
    root_module: Option<Module<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    sensitive: Option<bool>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Module<'a> {
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    child_modules: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StoredResource<'a> {
    #[serde(borrow)]
    values: Option<&'a RawValue>,
    sensitive_values: Option<&'a RawValue>,
}

fn add_values(values: &RawValue, secrets: &mut SecretsCollector) -> Result<(), ScanError> {
    let values: Values<'_> = serde_json::from_str(values.get())?;
    if let Some(outputs) = present(values.outputs) {
        each_field(outputs, |_, output: Output<'_>| match (output.sensitive, output.value) {
            (Some(true), Some(value)) => {
                secrets.add_all(&Json::parse(value)?);
                Ok(())
            }
            _ => Ok(()),
        })?;
    }
    values.root_module.map_or(Ok(()), |module| add_module(module, 0, secrets))
}

fn add_module(module: Module<'_>, depth: usize, secrets: &mut SecretsCollector) -> Result<(), ScanError> {
    if depth > MAX_MODULE_DEPTH {
        return Err(ScanError::Unsupported(format!("modules nest deeper than {MAX_MODULE_DEPTH} levels")));
    }
    if let Some(resources) = present(module.resources) {
        each_item(resources, |resource: StoredResource<'_>| {
            add(resource.values, resource.sensitive_values, secrets)
        })?;
    }
    match present(module.child_modules) {
        Some(children) => each_item(children, |child: Module<'_>| add_module(child, depth + 1, secrets)),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct RootModule<'a> {
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct DeclaredVariable<'a> {
    sensitive: Option<bool>,
    #[serde(borrow)]
    default: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Variable<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

fn add_variables(plan: &Plan<'_>, secrets: &mut SecretsCollector) -> Result<(), ScanError> {
    let root = plan.configuration.as_ref().and_then(|configuration| present(configuration.root_module));
    let Some(root) = root else { return Ok(()) };
    let root: RootModule<'_> = serde_json::from_str(root.get())?;
    let Some(declared) = present(root.variables) else { return Ok(()) };
    let mut sensitive = BTreeSet::new();
    each_field(declared, |name, variable: DeclaredVariable<'_>| {
        if variable.sensitive != Some(true) {
            return Ok(());
        }
        if let Some(default) = variable.default {
            secrets.add_all(&Json::parse(default)?);
        }
        sensitive.insert(name);
        if sensitive.len() > MAX_ENTRIES { Err(ScanError::TooManySecrets) } else { Ok(()) }
    })?;
    let Some(variables) = present(plan.variables) else { return Ok(()) };
    each_field(variables, |name, variable: Variable<'_>| match variable.value {
        Some(value) if sensitive.contains(&name) => {
            secrets.add_all(&Json::parse(value)?);
            Ok(())
        }
        _ => Ok(()),
    })
}

/// Adds the marked parts of a value. Only they are parsed: most of a plan is unmarked.
pub(crate) fn add(
    value: Option<&RawValue>,
    marks: Option<&RawValue>,
    secrets: &mut SecretsCollector,
) -> Result<(), ScanError> {
    let (Some(value), Some(marks)) = (value, marks) else { return Ok(()) };
    if !marks.get().contains("true") {
        return Ok(());
    }
    add_marked(value, Marks::new(Some(&Json::parse(marks)?)), secrets)
}

/// The depth of the marks, which are parsed, bounds the recursion.
fn add_marked(value: &RawValue, marks: Marks<'_>, secrets: &mut SecretsCollector) -> Result<(), ScanError> {
    if marks.is_marked() {
        secrets.add_all(&Json::parse(value)?);
        return Ok(());
    }
    if !marks.may_mark() {
        return Ok(());
    }
    let mut indexes = 0..;
    match value.get().as_bytes().first() {
        Some(b'{') => each_field(value, |key, field| add_marked(field, marks.key(&key), secrets)),
        Some(b'[') => each_item(value, |item| {
            let index = indexes.next().unwrap_or(usize::MAX);
            add_marked(item, marks.index(index), secrets)
        }),
        _ => Ok(()),
    }
}
