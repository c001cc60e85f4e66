//! Background maintenance: ends expired sessions, deletes old rows, and restores marks that the backplane
//! lost. Any number of replicas may run it at once.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use chrono::TimeDelta;
use identity::{session_mark, user_mark};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::link::entity as link;
use crate::login::account_locks::FAMILIAR_FOR;
use crate::login::{failure as login_failure, known_network as login_network};
use crate::mail_queue::entity as mail;
use crate::service_token::changes as service_tokens;
use crate::service_token::entity as service_token;
use crate::session::entity as session;
use crate::signing_key::{entity as signing_key, replacement};
use crate::state::State;
use crate::user::entity as user;
use crate::user::locked_user::{LockedUser, MARK_MARGIN, longest_token_life};

const BATCH: u64 = 500;
/// A link without a row counts as expired, so that rows of requests need not be kept.
const LINKS_KEPT_FOR: TimeDelta = TimeDelta::days(1);
const INVITATIONS_KEPT_FOR: TimeDelta = TimeDelta::days(30);
/// Long enough for the limits per day and for investigations.
const MAILS_KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// Sweeps and restores lost marks at each interval until `stop`. Also restores marks when the backplane
/// reconnects.
pub async fn run(state: State, stop: CancellationToken) {
    let mut interval = tokio::time::interval(state.settings.session_sweep_interval);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut link = state.platform.backplane().link();
    let mut withdrawals = state.platform.tokens().keys.withdrawals();
    // Woken by the interval, the backplane's connection and withdrawn keys, ended by `stop`.
    loop {
        tokio::select! {
            _ = interval.tick() => sweep_or_log(&state).await,
            Ok(()) = withdrawals.changed() => renew_keys_or_log(&state).await,
            Ok(()) = link.changed() => {}
            () = stop.cancelled() => return,
        }
        if link.borrow_and_update().is_up() {
            catch_up_or_log(&state).await;
        }
    }
}

async fn sweep_or_log(state: &State) {
    renew_keys_or_log(state).await;
    if let Err(error) = sweep(state).await {
        tracing::warn!(error = format!("{error:#}"), "could not end expired sessions");
    }
}

async fn renew_keys_or_log(state: &State) {
    if let Err(error) = replacement::renew(state).await {
        tracing::warn!(error = format!("{error:#}"), "could not renew the keys that sign access tokens");
    }
}

/// Adds missing marks to the backplane, and records the uses of service tokens.
pub async fn catch_up_or_log(state: &State) {
    if let Err(error) = restore_marks(state).await {
        tracing::warn!(error = format!("{error:#}"), "could not add missing marks to the backplane");
    }
    if let Err(error) = service_tokens::record_uses(state).await {
        tracing::warn!(error = format!("{error:#}"), "could not record the uses of service tokens");
    }
}

/// Ends the expired sessions, revokes the service tokens of former admins, and deletes old rows.
pub async fn sweep(state: &State) -> Result<()> {
    while end_some_sessions(state).await? {}
    if let Err(error) = service_tokens::end_orphaned(state).await {
        tracing::warn!(%error, "could not revoke the service tokens of former admins");
    }
    delete_old_rows(state).await?;
    let open = session::count_open(&state.database).await?;
    state.metrics.active_sessions.set(i64::try_from(open).unwrap_or(i64::MAX));
    Ok(())
}

/// Ends a batch of expired sessions. Returns whether there may be more that can be ended now.
async fn end_some_sessions(state: &State) -> Result<bool, DbErr> {
    let (now, idle_timeout) = (state.platform.clock().now(), state.settings.idle_timeout());
    let overdue = session::overdue(&state.database, now, idle_timeout, BATCH).await?;
    let users = overdue.iter().map(|session| session.user_id).collect::<BTreeSet<_>>();
    let mut has_ended_some = false;
    for user_id in users {
        match end_overdue_sessions(state, user_id).await {
            Ok(()) => has_ended_some = true,
            // The sessions of other users end nevertheless. The next sweep tries again.
            Err(error) => tracing::warn!(%error, %user_id, "could not end the expired sessions of a user"),
        }
    }
    Ok(has_ended_some && overdue.len() as u64 == BATCH)
}

async fn delete_old_rows(state: &State) -> Result<(), DbErr> {
    let now = state.platform.clock().now();
    let kept_since = now - state.settings.retention();
    login_failure::purge(&state.database, now).await?;
    login_network::purge(&state.database, now - FAMILIAR_FOR).await?;
    service_token::purge(&state.database, kept_since).await?;
    session::purge(&state.database, kept_since).await?;
    link::purge(&state.database, now - LINKS_KEPT_FOR, now - INVITATIONS_KEPT_FOR).await?;
    mail::purge(&state.database, now - MAILS_KEPT_FOR).await?;
    for action in Action::FREQUENT {
        audit_log::purge(&state.database, action, kept_since).await?;
    }
    Ok(())
}

async fn end_overdue_sessions(state: &State, user_id: Uuid) -> Result<(), DbErr> {
    let user = LockedUser::lock(state, user_id, Initiator::service_itself()).await?;
    let Some(mut user) = user else { return Ok(()) };
    user.end_overdue_sessions().await?;
    user.commit().await
}

/// Adds the marks of ended sessions, changed users and keys that the backplane lost or never had.
pub async fn restore_marks(state: &State) -> Result<()> {
    let (now, life) = (state.platform.clock().now(), longest_token_life(state));
    let mut wanted = Vec::new();
    for (id, ended_at, reason) in session::ended_since(&state.database, now - life).await? {
        wanted.push(session_mark(id, reason, ended_at + life));
    }
    for user in user::changed_since(&state.database, now - life).await? {
        wanted.push(user_mark(user.id, &user.as_change(), user.updated_at + life));
    }
    for token in service_token::ended(&state.database, now).await? {
        wanted.push(session_mark(token.id, token.reason(), token.expires_at + MARK_MARGIN));
    }
    let keys = replacement::to_announce(state).await?;
    wanted.extend(keys.iter().map(|key| replacement::mark(key, now)));
    if wanted.is_empty() {
        return Ok(());
    }
    let known = state.platform.backplane().marks.live().await?.into_iter().collect::<HashSet<_>>();
    wanted.retain(|mark| !known.contains(&mark.value));
    if !wanted.is_empty() {
        tracing::info!(count = wanted.len(), "adding missing marks to the backplane");
        state.platform.backplane().marks.add(&wanted).await?;
    }
    let new = keys.into_iter().filter(|key| key.announced_at.is_none()).map(|key| key.id).collect::<Vec<_>>();
    if !new.is_empty() {
        signing_key::set_announced(&state.database, new, state.platform.clock().now()).await?;
    }
    Ok(())
}
