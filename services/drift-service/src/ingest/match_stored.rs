//! Matches a scan with the stored drifts of its stack.

use std::collections::{HashMap, HashSet};

use contracts::drift::Status;
use database::Transaction;
use scan::rules::Rules;
use scan::{Change, Match, Scan, match_findings};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::drift::content;
use crate::drift::live::{self, Live, Shown};

/// The part of the stored drifts that a scan covers.
#[derive(Clone, Copy)]
pub struct Coverage<'a> {
    pub account_id: Option<&'a str>,
    /// Drifts that the scan does not show are resolved.
    pub is_complete: bool,
}

/// A scan matched with the stored drifts of its stack.
pub struct Matched {
    pub matches: Vec<Match<Uuid>>,
    /// Drifts that no longer exist.
    pub resolved: Vec<Uuid>,
    pub live: HashMap<Uuid, Live>,
    /// By fingerprint: the last resolved drift before a new one.
    pub previous: HashMap<String, Previous>,
}

/// The last resolved drift of a resource.
#[derive(Clone, Copy)]
pub struct Previous {
    pub id: Uuid,
    /// The new drift has the same values, so it continues this one.
    pub is_same: bool,
}

/// Matches a scan of a stack that the transaction has locked.
pub async fn match_stored(
    tx: &Transaction,
    scan: &mut Scan,
    coverage: Coverage<'_>,
    rules: &Rules,
) -> Result<Matched, DbErr> {
    let drifts = live::lock_live(tx, &scan.stack).await?;
    // The shown state is read only for drifts that may have to be compared with it.
    let decided = |drift: &&Live| drift.status != Status::Detected || drift.decidable.is_none();
    let ids: Vec<Uuid> = drifts.iter().filter(decided).map(|drift| drift.id).collect();
    let shown: HashMap<Uuid, Shown> =
        live::shown(tx, &ids).await?.into_iter().map(|shown| (shown.id, shown)).collect();
    let stored = drifts.iter().map(|drift| content::to_stored(drift, shown.get(&drift.id))).collect();
    let found = match_findings(scan, stored, coverage.is_complete, rules);

    let live: HashMap<Uuid, Live> = drifts.into_iter().map(|drift| (drift.id, drift)).collect();
    // A scan of one account does not cover the resources of another account.
    let is_covered = |id: &Uuid| {
        let account = live.get(id).and_then(|drift| drift.account_id.as_deref());
        coverage.account_id.is_none_or(|covered| account.is_none_or(|account| account == covered))
    };
    let resolved = found.settled.into_iter().chain(found.gone).filter(is_covered).collect();
    let previous = previous(tx, &found.matches).await?;
    Ok(Matched { matches: found.matches, resolved, live, previous })
}

async fn previous(tx: &Transaction, matches: &[Match<Uuid>]) -> Result<HashMap<String, Previous>, DbErr> {
    let is_new = |found: &&Match<Uuid>| matches!(found.change, Change::New);
    let new: Vec<&Match<Uuid>> = matches.iter().filter(is_new).collect();
    let fingerprints: Vec<&str> = new.iter().map(|found| found.fingerprint.as_str()).collect();
    let hashes: HashSet<(&str, &str)> =
        new.iter().map(|found| (found.fingerprint.as_str(), found.finding.actual_hash.as_str())).collect();
    let resolved = live::last_resolved(tx, &fingerprints).await?;
    Ok(resolved
        .into_iter()
        .map(|drift| {
            let is_same = hashes.contains(&(drift.fingerprint.as_str(), drift.actual_hash.as_str()));
            (drift.fingerprint, Previous { id: drift.id, is_same })
        })
        .collect())
}
