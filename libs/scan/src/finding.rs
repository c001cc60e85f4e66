use contracts::AccountId;
use contracts::drift::{Kind, Severity};
use serde::{Deserialize, Serialize};

use crate::path::Step;

/// One difference that a scan found: compared, rated and redacted. It contains no secret.
#[derive(Clone, Debug)]
pub struct Finding {
    pub kind: Kind,
    pub address: String,
    pub previous_address: Option<String>,
    pub resource_type: String,
    pub resource_id: String,
    /// The tool did not name an id, so the address is used instead.
    pub lacks_id: bool,
    pub region: Option<String>,
    pub account_id: Option<AccountId>,
    pub provider: Option<String>,
    pub provider_config: Option<String>,
    /// JSON text.
    pub expected_state: Option<String>,
    /// JSON text.
    pub actual_state: Option<String>,
    /// The changed paths, as JSON text.
    pub difference: String,
    /// The paths that a decision on this finding covers.
    pub decidable: Vec<PathHash>,
    /// Identifies the decidable part of the actual state.
    pub actual_hash: String,
    /// Identifies everything that is shown of the finding, except values that change by themselves.
    pub shown_hash: String,
    pub severity: Severity,
    /// A short reason for the severity.
    pub reason: Option<&'static str>,
    pub is_state_only: bool,
    /// The plan deletes the resource and creates it again. Known only of a plan that is about to be applied.
    pub is_replaced: bool,
    pub lacks_states: bool,
}

/// A changed path with the hash of its actual value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathHash {
    pub path: Vec<Step>,
    /// The hash of the path. List elements are identified by their content, not by their index.
    pub key: String,
    pub value: String,
}

/// A changed path in its stored form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownChange<'a> {
    pub path: Vec<Step>,
    /// Whether the stored states hide the values.
    pub sensitive: bool,
    pub change: &'static str,
    pub class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

/// A resource that a scan examined and that does not drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub address: String,
    pub resource_type: String,
    pub resource_id: String,
}
