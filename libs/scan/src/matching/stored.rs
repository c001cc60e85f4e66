use contracts::AccountId;
use contracts::drift::Kind;

use crate::finding::{Finding, PathHash};

/// The parts of a live drift that matching needs.
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
    pub account_id: Option<AccountId>,
    pub provider: Option<String>,
    pub provider_config: Option<String>,
    pub actual_hash: String,
    /// `None` if the row was written under other rules, or by 0.1.0.
    pub shown_hash: Option<String>,
    /// The paths that the decision covers, or would cover if there were one. `None` in rows of 0.1.0.
    pub decidable: Option<Vec<PathHash>>,
    /// Loaded only if a decision may depend on it.
    pub actual_state: Option<String>,
    /// The changed paths as JSON text, loaded in the same cases.
    pub difference: Option<String>,
}

/// The state of the decision on a drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    None,
    /// The drift was approved or rejected.
    Made,
}

/// A finding compared with the stored drifts.
#[derive(Clone, Debug)]
pub struct Match<I> {
    pub finding: Finding,
    pub fingerprint: String,
    /// Whether the row takes over the address, id, region, account or provider of the finding.
    pub learns: bool,
    pub change: Change<I>,
}

/// The change that an ingest writes for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<I> {
    /// A new drift.
    New,
    /// The drift is unchanged.
    Unchanged { id: I },
    /// The drift is unchanged. Its row was written under other rules or by 0.1.0, and is written again.
    Adopted { id: I },
    /// The drift changed, and there is no decision on it.
    Updated { id: I },
    /// The decision still applies, but the state shown around it changed.
    Refreshed { id: I },
    /// The decision no longer applies: the row is resolved, and a new one replaces it.
    Superseded { id: I },
}

/// The result of matching a scan.
#[derive(Debug)]
pub struct Matches<I> {
    pub matches: Vec<Match<I>>,
    /// Drifts whose resources the scan shows without a difference.
    pub settled: Vec<I>,
    /// Drifts that a complete scan does not show.
    pub gone: Vec<I>,
}
