//! Finds the stored drift that a finding is about.

use std::collections::{HashMap, HashSet};

use contracts::drift::Kind;

use super::stored::Stored;
use crate::finding::{Finding, Settled};

/// The index of the stored drift that a finding is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub stored: usize,
}

type Key<'a> = (&'a str, &'a str, &'a str);

/// Pairs findings with stored drifts: by type, id and address; by address if one side lacks the id; by
/// the address before a move; and by type, id and provider if these are unique on both sides.
pub(super) fn pair<I>(findings: &[Finding], stored: &[Stored<I>], settled: &[Settled]) -> Vec<Option<Found>> {
    let mut pairing =
        Pairing { stored, free: (0..stored.len()).collect(), found: vec![None; findings.len()] };
    let exact = index(stored, |row| (&row.resource_type, &row.resource_id, &row.address));
    let by_address = index(stored, |row| (&row.resource_type, &row.address, ""));
    let lacks_id = |row: &Stored<I>| row.resource_id == row.address;

    pairing.round(
        findings,
        |finding| exact.get(&key(&finding.resource_type, &finding.resource_id, &finding.address)),
        |_, _| true,
    );
    pairing.round(
        findings,
        |finding| by_address.get(&key(&finding.resource_type, &finding.address, "")),
        |finding, row| finding.lacks_id || lacks_id(row),
    );
    pairing.round(
        findings,
        |finding| {
            exact.get(&key(
                &finding.resource_type,
                &finding.resource_id,
                finding.previous_address.as_deref()?,
            ))
        },
        |_, _| true,
    );
    pairing.round(
        findings,
        |finding| by_address.get(&key(&finding.resource_type, finding.previous_address.as_deref()?, "")),
        |finding, row| finding.lacks_id || lacks_id(row),
    );

    let by_id = index(stored, |row| (&row.resource_type, &row.resource_id, ""));
    let mut of_id: HashMap<(&str, &str), usize> = HashMap::new();
    for finding in findings {
        *of_id.entry((&finding.resource_type, &finding.resource_id)).or_default() += 1;
    }
    let still_there: HashSet<&str> = settled.iter().map(|settled| settled.address.as_str()).collect();
    pairing.round(
        findings,
        |finding| {
            let rows = by_id.get(&key(&finding.resource_type, &finding.resource_id, ""))?;
            let is_unique = of_id[&(finding.resource_type.as_str(), finding.resource_id.as_str())] == 1;
            (is_unique && rows.len() == 1).then_some(rows)
        },
        |finding, row| !still_there.contains(row.address.as_str()) && is_renamed(finding, row),
    );
    pairing.found
}

/// Returns the indexes of stored drifts whose resources a scan shows without a difference.
pub(super) fn settled<I>(stored: &[Stored<I>], is_matched: &[bool], settled: &[Settled]) -> HashSet<usize> {
    let shown: HashMap<(&str, &str), &str> = settled
        .iter()
        .map(|settled| {
            ((settled.resource_type.as_str(), settled.address.as_str()), settled.resource_id.as_str())
        })
        .collect();
    (0..stored.len())
        .filter(|index| {
            let row = &stored[*index];
            let id = shown.get(&(row.resource_type.as_str(), row.address.as_str()));
            let same =
                |id: &&str| *id == row.resource_id || *id == row.address || row.resource_id == row.address;
            !is_matched[*index] && id.is_some_and(same)
        })
        .collect()
}

struct Pairing<'a, I> {
    stored: &'a [Stored<I>],
    free: HashSet<usize>,
    found: Vec<Option<Found>>,
}

impl<I> Pairing<'_, I> {
    fn round<'m>(
        &mut self,
        findings: &'m [Finding],
        candidates: impl Fn(&'m Finding) -> Option<&'m Vec<usize>>,
        fits: impl Fn(&Finding, &Stored<I>) -> bool,
    ) {
        for (place, finding) in findings.iter().enumerate() {
            if self.found[place].is_some() {
                continue;
            }
            let Some(candidates) = candidates(finding) else { continue };
            let account = |index: &usize| &self.stored[*index].account_id;
            let best = candidates
                .iter()
                .filter(|index| self.free.contains(*index) && fits(finding, &self.stored[**index]))
                // Two different known accounts mean two resources.
                .filter(|index| match (account(index), &finding.account_id) {
                    (Some(known), Some(found)) => known == found,
                    _ => true,
                })
                .max_by_key(|index| *account(index) == finding.account_id);
            if let Some(best) = best {
                self.free.remove(best);
                self.found[place] = Some(Found { stored: *best });
            }
        }
    }
}

fn key<'a>(one: &'a str, two: &'a str, three: &'a str) -> Key<'a> {
    (one, two, three)
}

fn index<'a, I>(
    stored: &'a [Stored<I>],
    of: impl Fn(&'a Stored<I>) -> Key<'a>,
) -> HashMap<Key<'a>, Vec<usize>> {
    let mut index: HashMap<Key<'a>, Vec<usize>> = HashMap::new();
    for (place, row) in stored.iter().enumerate() {
        index.entry(of(row)).or_default().push(place);
    }
    index
}

/// Whether a finding under another address is the same resource. Some ids, such as a statement's, are unique
/// only within their function. So either the form of the id or the differences must agree as well.
fn is_renamed<I>(finding: &Finding, row: &Stored<I>) -> bool {
    let same_provider = match (&finding.provider_config, &row.provider_config) {
        (Some(found), Some(known)) => found == known,
        _ => true,
    };
    let has_evidence = finding.kind != Kind::Changed || !finding.decidable.is_empty();
    let same_difference = has_evidence && finding.kind == row.kind && finding.actual_hash == row.actual_hash;
    same_provider && !finding.lacks_id && (same_difference || is_unique_by_its_form(&finding.resource_id))
}

/// Whether clouds assign ids of this form only once.
fn is_unique_by_its_form(id: &str) -> bool {
    let is_hex = |part: &str, length: usize| {
        part.len() >= length && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    };
    id.starts_with("arn:")
        || id.starts_with("/subscriptions/")
        || id.starts_with("projects/")
        || id.starts_with("ocid1.")
        || id.rsplit_once('-').is_some_and(|(_, end)| is_hex(end, 8))
        || is_hex(id, 24)
}
