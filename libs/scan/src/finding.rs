use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::path::Step;
use crate::severity::Severity;

/// One drift as a scan saw it: compared, rated and redacted. Nothing in it is a secret.
#[derive(Clone, Debug)]
pub struct Finding {
    pub kind: Kind,
    pub address: String,
    pub previous_address: Option<String>,
    pub resource_type: String,
    pub resource_id: String,
    /// The tool did not name an id; the address stands in.
    pub lacks_id: bool,
    pub region: Option<String>,
    pub account_id: Option<String>,
    pub provider: Option<String>,
    pub provider_config: Option<String>,
    /// JSON text.
    pub expected_state: Option<String>,
    /// JSON text.
    pub actual_state: Option<String>,
    /// The changed paths, as JSON text.
    pub difference: String,
    /// What a decision on this finding covers.
    pub decidable: Vec<PathHash>,
    /// Identifies the decidable part of the actual state.
    pub actual_hash: String,
    /// Identifies everything that is shown of the finding but for values that change by themselves.
    pub shown_hash: String,
    pub severity: Severity,
    /// Why the severity is what it is, in a few words.
    pub reason: Option<&'static str>,
    pub is_state_only: bool,
    pub lacks_states: bool,
}

/// A changed path with the hash of its actual value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathHash {
    pub path: Vec<Step>,
    /// The hash of the path. Elements of lists count by what they are, not by where they are.
    pub key: String,
    pub value: String,
}

/// A changed path, as it is stored.
#[derive(Clone, Debug, Serialize)]
pub struct ShownChange<'a> {
    pub path: Vec<Step>,
    /// The stored states do not show the values.
    pub sensitive: bool,
    pub change: &'static str,
    pub class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}
