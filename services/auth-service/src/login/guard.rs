//! Refuses attempts, and counts the failed ones.

use sea_orm::EntityTrait;
use uuid::Uuid;

use super::account_locks::{self, Place};
use super::attempt::Attempt;
use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::error::AuthError;
use crate::limits;
use crate::state::State;
use crate::user::locked_user::audit_row;

/// Counts a wrong password. Writes `action` and the locks that start to the audit log.
pub async fn record_failure(
    state: &State,
    action: Option<Action>,
    attempt: &Attempt,
    user_id: Option<Uuid>,
    place: &Place,
    had_chance: bool,
) -> Result<(), AuthError> {
    let (now, initiator) = (state.platform.clock().now(), Initiator::user_at(attempt.ip));
    let transaction = state.database.begin().await?;
    let account = attempt.account();
    let begun = account_locks::count_failure(&transaction, state, &account, place, had_chance, now).await?;
    let failed = action.map(|action| (action, None));
    let locked = begun.iter().map(|scope| (Action::AccountLocked, Some(scope.name())));
    let rows = failed.into_iter().chain(locked);
    let rows = rows.map(|(action, detail)| audit_row(action, user_id, None, detail, initiator, now));
    let rows = rows.collect::<Vec<_>>();
    if !rows.is_empty() {
        audit_log::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await?;
    if action.is_some() {
        limits::count_failure(state, attempt.ip).await;
    }
    Ok(())
}

/// Refuses with 429 if there are seconds to wait.
pub fn refuse(seconds: Option<u64>) -> Result<(), AuthError> {
    match seconds {
        Some(retry_after_seconds) => Err(AuthError::TooManyAttempts { retry_after_seconds }),
        None => Ok(()),
    }
}
