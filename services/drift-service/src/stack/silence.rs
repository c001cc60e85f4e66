//! The dead-man's switch: reports stacks whose next scan is overdue.

use contracts::events::stack::StackSilent;
use sea_orm::ActiveValue::Set;

use super::entity::{self, ActiveModel};
use crate::actor::Actor;
use crate::error::DriftError;
use crate::{State, alert};

/// Maximum number of stacks that one sweep reports.
const BATCH: u64 = 100;

/// Raises one alert for each stack whose next scan is overdue. Any number of replicas may call this at the same time:
/// the lock of the stack decides which one reports it.
///
/// # Errors
/// If the database fails.
pub async fn report_silent_stacks(state: &State) -> Result<(), DriftError> {
    let now = state.platform.clock().now();
    for name in entity::overdue(&state.database, now, BATCH).await? {
        report(state, &name).await?;
    }
    Ok(())
}

async fn report(state: &State, name: &str) -> Result<(), DriftError> {
    let now = state.platform.clock().now();
    let mut tx = state.database.begin().await?;
    let Some(stack) = entity::lock_existing(&tx, name).await? else { return Ok(()) };
    // Another replica may have reported it, or a scan may have arrived, before the lock was granted.
    let Some(due_at) = stack.due_at.filter(|due| *due < now && stack.silent_since.is_none()) else {
        return Ok(());
    };
    let change = ActiveModel { silent_since: Set(Some(now)), ..Default::default() };
    entity::update(&tx, stack.id, change).await?;
    alert::raise(&mut tx, &Actor::service(), vec![alert::about_silence(name, due_at, now)]).await?;
    tx.emit(StackSilent { id: stack.id, stack: name.into(), due_at });
    tx.commit().await?;
    tracing::warn!(stack = ?name, %due_at, "a stack has stopped sending scans");
    Ok(())
}
