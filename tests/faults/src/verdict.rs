use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use crate::Received;

/// A committed event. The outbox is the reference, in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub event_id: String,
    /// The drift of the event; events of one drift must keep their order.
    pub drift_id: String,
}

/// The account of all events for one watcher.
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
    /// Whether nothing was lost silently, delivered twice or out of order.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.twice.is_empty() && self.out_of_order.is_empty()
    }
}

/// Returns every committed drift event, oldest first, as the database has them.
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

/// Compares the events that a watcher received with those committed. Events that it may have missed before
/// a `resync` are not lost, because the watcher was notified and read everything again.
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

/// Returns the index from which no event may be missing: the start, or the first event after the last
/// `resync`.
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
