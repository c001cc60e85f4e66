//! The parts of a plan that are read. All other parts are skipped.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Plan<'a> {
    pub format_version: Option<String>,
    pub terraform_version: Option<String>,
    pub timestamp: Option<DateTime<Utc>>,
    pub complete: Option<bool>,
    pub errored: Option<bool>,
    #[serde(borrow)]
    pub variables: Option<&'a RawValue>,
    pub resource_drift: Option<&'a RawValue>,
    pub resource_changes: Option<&'a RawValue>,
    pub output_changes: Option<&'a RawValue>,
    pub planned_values: Option<&'a RawValue>,
    pub prior_state: Option<PriorState<'a>>,
    pub configuration: Option<Configuration<'a>>,
}

#[derive(Deserialize)]
pub(super) struct PriorState<'a> {
    #[serde(borrow)]
    pub values: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Configuration<'a> {
    #[serde(borrow)]
    pub provider_config: Option<&'a RawValue>,
    pub root_module: Option<&'a RawValue>,
}

/// An entry of `resource_drift` or `resource_changes`.
#[derive(Deserialize)]
pub(super) struct Resource<'a> {
    pub address: String,
    pub previous_address: Option<String>,
    pub mode: Option<String>,
    #[serde(rename = "type")]
    pub resource_type: String,
    pub provider_name: Option<String>,
    #[serde(borrow)]
    pub change: ResourceChange<'a>,
}

#[derive(Deserialize)]
pub(super) struct ResourceChange<'a> {
    pub actions: Vec<String>,
    #[serde(borrow)]
    pub before: Option<&'a RawValue>,
    pub after: Option<&'a RawValue>,
    pub after_unknown: Option<&'a RawValue>,
    pub before_sensitive: Option<&'a RawValue>,
    pub after_sensitive: Option<&'a RawValue>,
}

/// Returns the list, unless it is absent or `null`.
pub(super) fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}
