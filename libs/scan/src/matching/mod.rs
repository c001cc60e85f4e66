//! Compares the findings of a scan with the stored drifts, and determines what to write.
//!
//! A decision covers the decided paths, with their actual values. It lapses when one of them has another
//! actual value, when a path drifts that was not decided on, or when the kind of the drift changes. Nothing
//! else undoes it.

mod decision;
mod identify;
mod planned;
mod stored;

pub use planned::{PlannedAction, Touch, Touched, touched_by};
pub use stored::{Change, Decision, Match, Matches, Stored};

use std::collections::{HashMap, HashSet};

use crate::finding::Finding;
use crate::resource_identity::Identity;
use crate::rules::Rules;
use crate::scan::{Scan, shortened};
use identify::Found;

/// Matches the findings of a scan with the live drifts in its scope. If `is_complete`, a resource that is
/// absent from the scan no longer drifts.
pub fn match_findings<I: Copy>(
    scan: &mut Scan,
    stored: Vec<Stored<I>>,
    is_complete: bool,
    rules: &Rules,
) -> Matches<I> {
    let (findings, repeated) = distinct(std::mem::take(&mut scan.findings));
    for address in repeated {
        scan.skip("same resource twice");
        scan.warn(format!("{}: skipped, the same resource occurs twice", shortened(&address)));
    }
    let found = identify::pair(&findings, &stored, &scan.settled);
    let mut is_matched = vec![false; stored.len()];
    for Found { stored, .. } in found.iter().flatten() {
        is_matched[*stored] = true;
    }
    let held: HashMap<&str, usize> =
        stored.iter().enumerate().map(|(index, row)| (row.fingerprint.as_str(), index)).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut matches = Vec::with_capacity(findings.len());
    for (finding, found) in findings.into_iter().zip(found) {
        let fingerprint = fingerprint(&finding, &scan.stack, &held, found.as_ref(), &taken);
        taken.insert(fingerprint.clone());
        let change = match found {
            None => Change::New,
            Some(Found { stored: index, .. }) => change(&finding, &stored[index], &scan.stack, rules),
        };
        let learns = found.is_some_and(|found| learns(&finding, &stored[found.stored]));
        matches.push(Match { finding, fingerprint, learns, change });
    }
    let settled_at = identify::settled(&stored, &is_matched, &scan.settled);
    let mut settled = Vec::new();
    let mut gone = Vec::new();
    for (index, row) in stored.iter().enumerate().filter(|(index, _)| !is_matched[*index]) {
        if settled_at.contains(&index) {
            settled.push(row.id);
        } else if is_complete {
            gone.push(row.id);
        }
    }
    Matches { matches, settled, gone }
}

/// Returns the first finding of each resource, and the addresses of the others.
fn distinct(findings: Vec<Finding>) -> (Vec<Finding>, Vec<String>) {
    let mut seen = HashSet::new();
    let identity = |finding: &Finding| {
        (
            finding.resource_type.clone(),
            finding.resource_id.clone(),
            finding.address.clone(),
            finding.account_id.clone(),
        )
    };
    let (first, again): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| seen.insert(identity(finding)));
    (first, again.into_iter().map(|finding| finding.address).collect())
}

/// Returns the fingerprint of a finding. The account becomes part of it only if another stored drift or
/// finding has the fingerprint without the account. `held` maps each stored fingerprint to its index.
fn fingerprint(
    finding: &Finding,
    stack: &str,
    held: &HashMap<&str, usize>,
    found: Option<&Found>,
    taken: &HashSet<String>,
) -> String {
    let identity = Identity {
        stack,
        resource_type: &finding.resource_type,
        resource_id: &finding.resource_id,
        address: &finding.address,
        account: None,
    };
    let plain = identity.fingerprint();
    let own = found.map(|found| found.stored);
    let is_held = held.get(plain.as_str()).is_some_and(|index| Some(*index) != own);
    if is_held || taken.contains(&plain) {
        Identity { account: finding.account_id.as_deref(), ..identity }.fingerprint()
    } else {
        plain
    }
}

fn change<I: Copy>(finding: &Finding, row: &Stored<I>, stack: &str, rules: &Rules) -> Change<I> {
    let same_kind = finding.kind == row.kind;
    if finding.lacks_states && same_kind {
        return Change::Unchanged { id: row.id };
    }
    let same_actual = same_kind && finding.actual_hash == row.actual_hash;
    match &row.shown_hash {
        Some(shown) if same_actual && *shown == finding.shown_hash => {
            return Change::Unchanged { id: row.id };
        }
        None if same_actual || decision::holds_since_0_1_0(finding, row, stack, rules) => {
            return Change::Adopted { id: row.id };
        }
        _ => {}
    }
    match row.decision {
        Decision::None => Change::Updated { id: row.id },
        Decision::Made if decision::holds(finding, row, stack, rules) => Change::Refreshed { id: row.id },
        Decision::Made => Change::Superseded { id: row.id },
    }
}

/// Whether the scan shows a new or changed region, account or provider, or another address or id.
fn learns<I>(finding: &Finding, row: &Stored<I>) -> bool {
    fn is_news<T: PartialEq>(found: &Option<T>, known: &Option<T>) -> bool {
        found.is_some() && found != known
    }
    finding.address != row.address
        || (finding.resource_id != row.resource_id && !finding.lacks_id)
        || is_news(&finding.region, &row.region)
        || is_news(&finding.account_id, &row.account_id)
        || is_news(&finding.provider, &row.provider)
        || is_news(&finding.provider_config, &row.provider_config)
}

#[cfg(test)]
mod tests;
