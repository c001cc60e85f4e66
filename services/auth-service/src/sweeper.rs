//! What happens with nobody asking: sessions that are over are ended, old ones forgotten, and the set of
//! ended sessions is put back where the backplane lost it. Any number of replicas may do it at once.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use contracts::events::auth::EndReason;
use identity::{session_mark, user_mark};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::audit::{Action, Initiator};
use crate::entity::{audit_log, service_token, session, user};
use crate::locked_user::{LockedUser, MARK_MARGIN, longest_token_life};
use crate::service_tokens;
use crate::state::State;

const BATCH: u64 = 500;

/// Sweeps at each interval, and when the backplane is back, until `stop`.
pub async fn run(state: State, stop: CancellationToken) {
    let mut interval = tokio::time::interval(state.settings.session_sweep_interval);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut link = state.platform.backplane.link();
    // Woken by time and by the backplane's connection, ended by `stop`.
    loop {
        tokio::select! {
            _ = interval.tick() => sweep_or_log(&state).await,
            Ok(()) = link.changed() => {}
            () = stop.cancelled() => return,
        }
        if link.borrow_and_update().is_up() {
            catch_up_or_log(&state).await;
        }
    }
}

async fn sweep_or_log(state: &State) {
    if let Err(error) = sweep(state).await {
        tracing::warn!(%error, "sessions that are over could not be ended");
    }
}

async fn catch_up_or_log(state: &State) {
    if let Err(error) = restore_marks(state).await {
        tracing::warn!(%error, "the set of ended sessions could not be checked");
    }
    if let Err(error) = service_tokens::record_uses(state).await {
        tracing::warn!(%error, "uses of service tokens could not be recorded");
    }
}

/// Ends every session that is over and forgets those that ended long ago, with what was noted often.
pub async fn sweep(state: &State) -> Result<(), DbErr> {
    let idle_timeout = state.settings.idle_timeout();
    loop {
        let overdue = session::overdue(&*state.db, state.platform.clock.now(), idle_timeout, BATCH).await?;
        let users = overdue.iter().map(|session| session.user_id).collect::<BTreeSet<_>>();
        for user_id in users {
            let user = LockedUser::lock(state, user_id, Initiator::service_itself()).await?;
            let Some(mut user) = user else { continue };
            user.end_overdue_sessions().await?;
            user.commit().await?;
        }
        if (overdue.len() as u64) < BATCH {
            break;
        }
    }
    let kept_since = state.platform.clock.now() - state.settings.retention();
    session::purge(&*state.db, kept_since).await?;
    for action in Action::FREQUENT {
        audit_log::purge(&*state.db, action, kept_since).await?;
    }
    let open = session::count_open(&*state.db).await?;
    state.metrics.active_sessions.set(i64::try_from(open).unwrap_or(i64::MAX));
    Ok(())
}

/// Puts back what the backplane must know of ended sessions and changed users, if it came back empty.
pub async fn restore_marks(state: &State) -> Result<()> {
    let (now, life) = (state.platform.clock.now(), longest_token_life(state));
    let mut wanted = Vec::new();
    for (id, ended_at, reason) in session::ended_since(&*state.db, now - life).await? {
        wanted.push(session_mark(id, reason, ended_at + life));
    }
    for user in user::changed_since(&*state.db, now - life).await? {
        wanted.push(user_mark(user.id, &user.as_change(), user.updated_at + life));
    }
    for token in service_token::ended(&*state.db, now).await? {
        wanted.push(session_mark(token.id, EndReason::Admin, token.expires_at + MARK_MARGIN));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let known = state.platform.backplane.marks().await?.into_iter().collect::<HashSet<_>>();
    wanted.retain(|mark| !known.contains(&mark.value));
    if !wanted.is_empty() {
        tracing::info!(count = wanted.len(), "ended sessions are put back into the backplane");
        state.platform.backplane.mark(&wanted).await?;
    }
    Ok(())
}
