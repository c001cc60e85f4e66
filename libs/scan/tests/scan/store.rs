//! Stored drifts in memory. They are written according to the matches, as in the service.

use scan::rules::Rules;
use scan::{
    Change, Criteria, Decision, Finding, Match, ScanError, Scope, StateKey, Stored, match_findings, read,
};

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub stack: String,
    pub status: &'static str,
    pub stored: Stored<usize>,
    pub finding: Finding,
    pub previous: Option<usize>,
}

/// The results of one scan.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(crate) struct Counts {
    pub created: usize,
    pub unchanged: usize,
    pub changed: usize,
    pub resolved: usize,
    pub skipped: usize,
    pub ignored: usize,
    pub warnings: Vec<String>,
}

pub(crate) struct Store {
    pub rows: Vec<Row>,
    pub rules: Rules,
    key: StateKey,
}

impl Store {
    pub(crate) fn new(rules: &str) -> Self {
        Self { rows: Vec::new(), rules: Rules::parse(rules).unwrap(), key: StateKey::new(b"a test key") }
    }

    pub(crate) fn ingest(
        &mut self,
        upload: &[u8],
        scope: &Scope,
        complete: bool,
    ) -> Result<Counts, ScanError> {
        let scans = read(upload, scope, Criteria { rules: &self.rules, key: &self.key })?;
        let mut counts = Counts::default();
        for mut scan in scans {
            let stored = self.live(&scan.stack);
            let incomplete = scan.incomplete.clone();
            if complete && let Some(incomplete) = &incomplete {
                scan.warnings.push(format!("nothing is resolved: {}", incomplete.reason));
            }
            let matches = match_findings(&mut scan, stored, complete && incomplete.is_none(), &self.rules);
            counts.skipped += scan.skipped;
            counts.ignored += scan.ignored;
            counts.warnings.extend(scan.warnings);
            for id in matches.settled.into_iter().chain(matches.gone) {
                self.rows[id].status = "resolved";
                counts.resolved += 1;
            }
            for found in matches.matches {
                self.write(found, &scan.stack, &mut counts);
            }
        }
        Ok(counts)
    }

    fn write(&mut self, found: Match<usize>, stack: &str, counts: &mut Counts) {
        let Match { finding, fingerprint, learns, change } = found;
        match change {
            Change::New => {
                counts.created += 1;
                self.insert(finding, fingerprint, stack, None);
            }
            Change::Superseded { id } => {
                counts.changed += 1;
                self.rows[id].status = "resolved";
                self.insert(finding, fingerprint, stack, Some(id));
            }
            Change::Unchanged { id } => {
                counts.unchanged += 1;
                if learns {
                    self.learn(id, &finding, fingerprint);
                }
            }
            Change::Adopted { id } | Change::Refreshed { id } | Change::Updated { id } => {
                let is_update = matches!(change, Change::Updated { .. });
                counts.changed += usize::from(is_update);
                counts.unchanged += usize::from(!is_update);
                let row = &mut self.rows[id];
                let decidable = match change {
                    Change::Refreshed { .. } => row.stored.decidable.clone(),
                    _ => Some(finding.decidable.clone()),
                };
                row.stored = Stored { decidable, ..stored(id, &finding, fingerprint, row.stored.decision) };
                row.finding = finding;
            }
        }
    }

    fn learn(&mut self, id: usize, finding: &Finding, fingerprint: String) {
        let stored = &mut self.rows[id].stored;
        stored.fingerprint = fingerprint;
        stored.address.clone_from(&finding.address);
        stored.region = finding.region.clone().or(stored.region.take());
        stored.account_id = finding.account_id.clone().or(stored.account_id.take());
        if !finding.lacks_id {
            stored.resource_id.clone_from(&finding.resource_id);
        }
    }

    fn insert(&mut self, finding: Finding, fingerprint: String, stack: &str, previous: Option<usize>) {
        let id = self.rows.len();
        assert!(
            self.rows.iter().all(|row| row.status == "resolved" || row.stored.fingerprint != fingerprint),
            "two live rows of one fingerprint: {}",
            finding.address
        );
        let stored = stored(id, &finding, fingerprint, Decision::None);
        self.rows.push(Row { stack: stack.into(), status: "detected", stored, finding, previous });
    }

    pub(crate) fn live(&self, stack: &str) -> Vec<Stored<usize>> {
        self.live_rows(stack).map(|row| row.stored.clone()).collect()
    }

    pub(crate) fn live_rows<'a>(&'a self, stack: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.status != "resolved" && row.stack == stack)
    }

    pub(crate) fn approve(&mut self, stack: &str, address: &str) {
        for row in self.rows.iter_mut() {
            if row.stack == stack && row.stored.address == address && row.status == "detected" {
                row.status = "approved";
                row.stored.decision = Decision::Made;
            }
        }
    }
}

fn stored(id: usize, finding: &Finding, fingerprint: String, decision: Decision) -> Stored<usize> {
    Stored {
        id,
        kind: finding.kind,
        decision,
        fingerprint,
        address: finding.address.clone(),
        resource_type: finding.resource_type.clone(),
        resource_id: finding.resource_id.clone(),
        region: finding.region.clone(),
        account_id: finding.account_id.clone(),
        provider: finding.provider.clone(),
        provider_config: finding.provider_config.clone(),
        actual_hash: finding.actual_hash.clone(),
        shown_hash: Some(finding.shown_hash.clone()),
        decidable: Some(finding.decidable.clone()),
        actual_state: finding.actual_state.clone(),
        difference: Some(finding.difference.clone()),
    }
}
