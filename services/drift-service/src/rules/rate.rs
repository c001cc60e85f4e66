//! Rates stored drifts by other rules. Saving and rehearsing rules use the same function, so that both get the same
//! result.

use std::sync::Arc;

use scan::StateKey;
use scan::rerate::{RatedDrift, Rerated, rerate};
use scan::rules::{Rules, Subject};
use sea_orm::DbErr;

use super::current::RulesInForce;
use crate::drift::content;
use crate::drift::entity::Model;

pub(super) fn rate(row: &Model, rules: &Rules, key: &StateKey) -> Rerated {
    let stored = RatedDrift {
        subject: Subject {
            stack: &row.stack,
            address: &row.address,
            resource_type: &row.resource_type,
            kind: row.kind,
        },
        expected_state: row.expected_state.as_deref(),
        actual_state: row.actual_state.as_deref(),
        difference: &row.difference,
        reason: row.severity_reason.as_deref(),
        decidable: content::read_hashes(row.decidable.as_deref()).unwrap_or_default(),
    };
    rerate(stored, rules, key)
}

/// Rates many drifts on a thread of its own, because it compares their states.
pub(super) async fn rate_all(
    rows: Vec<Model>,
    rules: Arc<RulesInForce>,
    key: StateKey,
) -> Result<Vec<(Model, Rerated)>, DbErr> {
    let rating = move || {
        let rated = |row: Model| {
            let rerated = rate(&row, &rules.rules, &key);
            (row, rerated)
        };
        rows.into_iter().map(rated).collect()
    };
    tokio::task::spawn_blocking(rating).await.map_err(|error| DbErr::Custom(error.to_string()))
}
