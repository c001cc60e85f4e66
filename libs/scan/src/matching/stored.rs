use crate::finding::{Finding, PathHash};
use crate::kind::Kind;

/// A live drift, as far as matching needs it.
#[derive(Clone, Debug)]
pub struct Stored<I> {
    pub id: I,
    pub kind: Kind,
    pub decision: Decision,
    pub fingerprint: String,
    pub address: String,
    pub resource_type: String,
    pub resource_id: String,
    pub region: Option<String>,
    pub account_id: Option<String>,
    pub provider: Option<String>,
    pub provider_config: Option<String>,
    pub actual_hash: String,
    /// `None` if the row was written under other rules, or by 0.1.0.
    pub shown_hash: Option<String>,
    /// What the decision covers; for a drift without one, what it would cover. `None` in rows of 0.1.0.
    pub decidable: Option<Vec<PathHash>>,
    /// Read where a decision may depend on it.
    pub actual_state: Option<String>,
    /// Likewise: the changed paths, as JSON text.
    pub difference: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    None,
    /// Approved or rejected.
    Made,
}

/// A finding compared with what is stored.
#[derive(Clone, Debug)]
pub struct Match<I> {
    pub finding: Finding,
    pub fingerprint: String,
    /// The row is to take over the address, id, region, account or provider of the finding.
    pub learns: bool,
    pub change: Change<I>,
}

/// What is written for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<I> {
    /// A new drift.
    New,
    /// The drift is as it was.
    Unchanged { id: I },
    /// The drift is as it was; its row was written by other rules or by 0.1.0, and is written again.
    Adopted { id: I },
    /// Nobody has decided, and the drift is another one now.
    Updated { id: I },
    /// The decision holds, and what is shown around it changed.
    Refreshed { id: I },
    /// The decision was about something else: the row is resolved, and a new one follows it.
    Superseded { id: I },
}

/// What comes of a scan.
#[derive(Debug)]
pub struct Matches<I> {
    pub matches: Vec<Match<I>>,
    /// Drifts of resources that the scan shows without a difference.
    pub settled: Vec<I>,
    /// Drifts that a complete scan does not show.
    pub gone: Vec<I>,
    /// Addresses of resources that the scan shows more than once.
    pub repeated: Vec<String>,
}
