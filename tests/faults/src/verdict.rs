use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use crate::Received;

/// An event that was committed: the oracle is the outbox, in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub event_id: String,
    /// Events of one drift must keep their order.
    pub drift_id: String,
}

/// What became of the events for one watcher.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub expected: usize,
    pub received: usize,
    pub lost: Vec<String>,
    pub twice: Vec<String>,
    pub out_of_order: Vec<String>,
    pub resyncs: usize,
}

impl Verdict {
    /// Nothing lost in silence, nothing twice, nothing out of order.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.twice.is_empty() && self.out_of_order.is_empty()
    }
}

/// Every drift event that the database says was committed, oldest first.
pub async fn committed(database_url: &str) -> Vec<Account> {
    let database = Database::connect(database_url).await.expect("the database answers");
    let rows =
        "SELECT event_id::text AS event_id, envelope FROM outbox WHERE channel LIKE 'drift:%' ORDER BY id";
    let rows = Statement::from_string(DbBackend::Postgres, rows);
    let rows = database.query_all_raw(rows).await.expect("the outbox can be read");
    let account = rows.iter().map(|row| {
        let envelope: String = row.try_get("", "envelope").expect("an envelope");
        let envelope: serde_json::Value = serde_json::from_str(&envelope).expect("JSON");
        Account {
            event_id: row.try_get("", "event_id").expect("an id"),
            drift_id: envelope["payload"]["id"].as_str().unwrap_or_default().into(),
        }
    });
    account.collect()
}

/// Compares what a watcher received with what was committed. What it may have missed before a
/// `resync` is not lost: it was told, and read everything anew.
pub fn verdict(committed: &[Account], received: &[Received]) -> Verdict {
    let mut verdict = Verdict { expected: committed.len(), ..Verdict::default() };
    let place = committed.iter().enumerate().map(|(at, account)| (account.event_id.as_str(), (at, account)));
    let place = place.collect::<HashMap<_, _>>();
    let mut seen = HashSet::new();
    let mut last_of_drift = HashMap::new();
    for item in received {
        match item {
            Received::Resync => verdict.resyncs += 1,
            Received::Event(id) => {
                verdict.received += 1;
                if !seen.insert(id.as_str()) {
                    verdict.twice.push(id.clone());
                }
                if let Some((at, account)) = place.get(id.as_str())
                    && last_of_drift.insert(account.drift_id.as_str(), *at).is_some_and(|last| last > *at)
                {
                    verdict.out_of_order.push(id.clone());
                }
            }
        }
    }
    let from = place_after_last_resync(received, &place);
    let owed = committed.iter().skip(from.unwrap_or(committed.len()));
    let missing = owed.filter(|account| !seen.contains(account.event_id.as_str()));
    verdict.lost = missing.map(|account| account.event_id.clone()).collect();
    verdict
}

/// From where on nothing may be missing: the start, or the first event after the last `resync`.
fn place_after_last_resync(received: &[Received], place: &HashMap<&str, (usize, &Account)>) -> Option<usize> {
    let Some(resync) = received.iter().rposition(|item| *item == Received::Resync) else { return Some(0) };
    received[resync..].iter().find_map(|item| match item {
        Received::Event(id) => place.get(id.as_str()).map(|(at, _)| *at),
        Received::Resync => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> Received {
        Received::Event(id.into())
    }

    #[test]
    fn every_fault_of_delivery_is_found() {
        let all = ["a", "b", "c"].map(|id| Account { event_id: id.into(), drift_id: "d".into() });
        assert!(verdict(&all, &[event("a"), event("b"), event("c")]).is_clean());
        assert_eq!(verdict(&all, &[event("a"), event("c")]).lost, ["b"]);
        assert_eq!(verdict(&all, &[event("a"), event("a"), event("b"), event("c")]).twice, ["a"]);
        assert_eq!(verdict(&all, &[event("b"), event("a"), event("c")]).out_of_order, ["a"]);
        let told = verdict(&all, &[event("a"), Received::Resync, event("c")]);
        assert!(told.is_clean() && told.resyncs == 1);
        assert_eq!(verdict(&all, &[Received::Resync, event("a"), event("c")]).lost, ["b"]);
    }
}
