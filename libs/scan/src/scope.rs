use std::time::Instant;

use contracts::AccountId;
use serde::{Deserialize, Serialize};

/// The list of a plan that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Differences between the recorded state and reality.
    #[default]
    Drift,
    /// Differences between reality and the configuration.
    Changes,
}

/// The caller's parameters of an upload.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The name of the stack. In it, `{module}` stands for the path of the module, and `{n}` for the number
    /// of a plan among several.
    pub stack: String,
    pub account_id: Option<AccountId>,
    pub region: Option<String>,
    pub source: Source,
    /// Whether to read driftctl's unmanaged resources.
    pub unmanaged: bool,
    /// Whether to read a plan as one that is about to be applied: with values that are not known before, and with
    /// changes that rules exclude from decisions. Needs [`Source::Changes`].
    pub is_planned: bool,
    /// The time by which reading must end.
    pub deadline: Option<Instant>,
}

impl Scope {
    /// Creates the scope of one stack, with the default of every other parameter.
    pub fn of_stack(stack: impl Into<String>) -> Self {
        Self {
            stack: stack.into(),
            account_id: None,
            region: None,
            source: Source::Drift,
            unmanaged: false,
            is_planned: false,
            deadline: None,
        }
    }
}
