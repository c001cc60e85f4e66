//! The life cycle of sessions: open, refresh, touch, end. All functions hold the user's lock.

use std::net::IpAddr;

use contracts::events::auth::{
    EndReason, SessionActivityUpdated, SessionCreated, SessionDeleted, SessionTerminated,
    SessionsBulkTerminated, TokenRefreshed, UserLogout,
};
use identity::session_mark;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ActiveModelTrait, DbErr};
use uuid::Uuid;

use crate::audit::action::Action;
use crate::link::revocation::{self, Revoked};
use crate::session::device::Device;
use crate::session::entity as session;
use crate::session::lifetime::evicted_by_one_more;
use crate::token::refresh_token::RefreshToken;
use crate::token::rotation::{Decision, Rotation};
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// A refresh that was accepted.
pub struct Refreshed {
    pub session: session::Model,
    /// The counter of the refresh token to send.
    pub counter: u32,
}

impl LockedUser<'_> {
    /// Opens a session, and evicts the least recently active ones if there are too many.
    pub async fn open_session(&mut self, device: Device, ip: IpAddr) -> Result<session::Model, DbErr> {
        let live = self.live_sessions().await?;
        let max = self.state.settings.max_sessions_per_user as usize;
        let evicted = evicted_by_one_more(live.iter().map(|live| (live.id, live.lifetime())).collect(), max);
        for session in live.iter().filter(|session| evicted.contains(&session.id)) {
            self.end_session(session, EndReason::Evicted).await?;
        }
        // Always a new id, never one that a client has seen before.
        let id = Uuid::new_v4();
        let session = session::ActiveModel {
            id: Set(id),
            user_id: Set(self.row.id),
            session_token: Set(self.state.refresh_tokens.fingerprint(id)),
            device_info: Set(device),
            ip_address: Set(ip.to_string()),
            rotation: Set(Rotation::default()),
            last_activity: Set(self.now),
            created_at: Set(self.now),
            expires_at: Set(self.now + self.state.settings.session_lifetime()),
            revoked_at: Set(None),
            revoked_reason: Set(None),
        };
        let session = session.insert(&self.transaction).await?;
        let device_info = session.device_info.info();
        self.transaction.emit(SessionCreated { user_id: self.row.id, session_id: id, device_info });
        Ok(session)
    }

    /// The live sessions, most recently active first.
    pub async fn live_sessions(&self) -> Result<Vec<session::Model>, DbErr> {
        let open = session::open_of(&self.transaction, self.row.id).await?;
        let idle_timeout = self.state.settings.idle_timeout();
        Ok(open.into_iter().filter(|session| session.is_live(self.now, idle_timeout)).collect())
    }

    /// A session of this user that is not marked as ended.
    pub async fn open_session_by_id(&self, id: Uuid) -> Result<Option<session::Model>, DbErr> {
        let session = session::by_id(&self.transaction, id).await?;
        Ok(session.filter(|session| session.user_id == self.row.id && session.revoked_at.is_none()))
    }

    /// Exchanges a genuine refresh token. Returns `None` if it is refused. Commit even then, because a replay
    /// ends the session.
    pub async fn refresh(&mut self, token: RefreshToken) -> Result<Option<Refreshed>, DbErr> {
        let Some(session) = self.open_session_by_id(token.session_id).await? else { return Ok(None) };
        let settings = &self.state.settings;
        if let Some(reason) = session.lifetime().over(self.now, settings.idle_timeout()) {
            self.end_session(&session, reason).await?;
            return Ok(None);
        }
        let policy = settings.rotation();
        let decision = session.rotation.decide(token.counter, self.now, policy);
        let (rotation, counter) = match decision {
            Decision::Rotate => {
                let rotation = session.rotation.rotate(self.now, policy);
                let newest = rotation.newest();
                (rotation, newest)
            }
            Decision::Repeat(counter) => (session.rotation.clone(), counter),
            Decision::Theft => {
                tracing::warn!(user_id = %self.row.id, session_id = %session.id, "a used refresh token was replayed");
                self.state.metrics.token_reused();
                self.end_session(&session, EndReason::TokenReuse).await?;
                return Ok(None);
            }
        };
        let is_new = decision.is_new(policy);
        if is_new {
            self.transaction.emit(TokenRefreshed { user_id: self.row.id, session_id: session.id });
        }
        let interval = settings.activity_interval();
        let is_audit_due = rotation.is_audit_due(self.now, interval);
        let is_stale = session.is_stale(self.now, interval);
        let mut change = session::ActiveModel { id: Unchanged(session.id), ..Default::default() };
        if is_audit_due {
            self.audit(Action::TokenRefreshed, Some(session.id), (!is_new).then_some("repeated"));
        }
        if is_audit_due || decision == Decision::Rotate {
            change.rotation = Set(if is_audit_due { rotation.audited(self.now) } else { rotation });
        }
        if is_stale || decision == Decision::Rotate {
            change.last_activity = Set(self.now);
        }
        let session = if change.is_changed() { change.update(&self.transaction).await? } else { session };
        Ok(Some(Refreshed { session, counter }))
    }

    /// Records activity in a session. Returns `None` if the session has ended.
    pub async fn touch(&mut self, session_id: Uuid) -> Result<Option<session::Model>, DbErr> {
        let Some(session) = self.open_session_by_id(session_id).await? else { return Ok(None) };
        if let Some(reason) = session.lifetime().over(self.now, self.state.settings.idle_timeout()) {
            self.end_session(&session, reason).await?;
            return Ok(None);
        }
        // A concurrent request has just recorded activity.
        if !session.is_stale(self.now, self.state.settings.activity_interval()) {
            return Ok(Some(session));
        }
        self.transaction.emit(SessionActivityUpdated { user_id: self.row.id, session_id });
        self.update(user::ActiveModel { last_activity_at: Set(Some(self.now)), ..Default::default() })
            .await?;
        let change =
            session::ActiveModel { id: Set(session_id), last_activity: Set(self.now), ..Default::default() };
        Ok(Some(change.update(&self.transaction).await?))
    }

    /// Ends a session that is not yet marked as ended.
    pub async fn end_session(&mut self, session: &session::Model, reason: EndReason) -> Result<(), DbErr> {
        let change = session::ActiveModel {
            id: Set(session.id),
            revoked_at: Set(Some(self.now)),
            revoked_reason: Set(Some(reason)),
            ..Default::default()
        };
        change.update(&self.transaction).await?;
        let mark = session_mark(session.id, reason, self.mark_until());
        let event = SessionDeleted { user_id: self.row.id, session_id: session.id, reason };
        self.transaction.emit_with(event, vec![mark]);
        self.audit(Action::SessionEnded, Some(session.id), Some(reason.into_str()));
        self.ended.push((session.id, reason));
        Ok(())
    }

    /// Ends the expired sessions.
    pub async fn end_overdue_sessions(&mut self) -> Result<(), DbErr> {
        for session in session::open_of(&self.transaction, self.row.id).await? {
            if let Some(reason) = session.lifetime().over(self.now, self.state.settings.idle_timeout()) {
                self.end_session(&session, reason).await?;
            }
        }
        Ok(())
    }

    /// Ends a session because its user logs out. Does nothing if the session has already ended.
    pub async fn log_out(&mut self, session_id: Uuid) -> Result<(), DbErr> {
        let Some(session) = self.open_session_by_id(session_id).await? else { return Ok(()) };
        self.transaction.emit(UserLogout { user_id: self.row.id, session_id });
        self.audit(Action::Logout, Some(session_id), None);
        self.end_session(&session, EndReason::Logout).await
    }

    /// Ends the session `target` at the request of the session `from`. Returns whether `target` was open.
    pub async fn terminate(&mut self, target: Uuid, from: Uuid) -> Result<bool, DbErr> {
        let Some(session) = self.open_session_by_id(target).await? else { return Ok(false) };
        self.transaction.emit(SessionTerminated {
            user_id: self.row.id,
            session_id: from,
            target_session_token: target,
            target_session_id: target,
            reason: EndReason::Logout,
        });
        self.end_session(&session, EndReason::Logout).await?;
        // The ended session may have requested a change of the address.
        revocation::revoke_of(&self.transaction, &self.row, Revoked::Changes, self.now).await?;
        Ok(true)
    }

    /// Ends every session except `stays`, keeps logins in progress from opening one, and revokes the links in
    /// mails. Returns the number of ended sessions.
    pub async fn end_all(&mut self, stays: Option<Uuid>, reason: EndReason) -> Result<usize, DbErr> {
        let login_epoch = Set(self.row.login_epoch + 1);
        self.update(user::ActiveModel { login_epoch, ..Default::default() }).await?;
        revocation::revoke_of(&self.transaction, &self.row, Revoked::OfUser, self.now).await?;
        // A thief in the session of an admin may have sent invitations. A user who stays in keeps theirs.
        if stays.is_none() {
            revocation::revoke_of(&self.transaction, &self.row, Revoked::Invitations, self.now).await?;
        }
        let open = session::open_of(&self.transaction, self.row.id).await?;
        let ending = open.into_iter().filter(|session| Some(session.id) != stays).collect::<Vec<_>>();
        for session in &ending {
            self.end_session(session, reason).await?;
        }
        if !ending.is_empty() {
            self.transaction.emit(SessionsBulkTerminated {
                user_id: self.row.id,
                count: ending.len(),
                session_ids: ending.iter().map(|session| session.id).collect(),
                except_session_id: stays,
            });
        }
        Ok(ending.len())
    }
}
