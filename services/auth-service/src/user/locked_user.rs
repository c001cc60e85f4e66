//! A user whose row is locked: the only way to change a user or a session.
//!
//! All changes of one user happen one after another, across all replicas. Their events are published in the
//! order of the commits.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::{EndReason, UserRegistered, UserUpdated};
use contracts::{AccountId, Role};
use database::Transaction;
use identity::{UserChange, user_mark};
use platform::{Busy, Turn, TurnsConfig};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnAcquireErr, DbErr, EntityTrait};
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::error::AuthError;
use crate::link::entity as link;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;

/// Changes of one user wait for each other in any case, because they lock the user's row. With turns they wait
/// without a connection to the database, so that a user who sends many requests cannot occupy the pool.
pub const CHANGES: TurnsConfig = TurnsConfig {
    slots: usize::MAX,
    slots_per_caller: 1,
    waiting_per_caller: 256,
    waiting: 10_000,
    // As long as the pool waits for a connection.
    patience: Duration::from_secs(5),
};
/// The key of the turns of admins who change others: all such changes lock the rows of all admins.
const ADMINS: &str = "admins";

/// The time by which marks outlive the last access token: the leeway of verification plus the clock skew.
pub const MARK_MARGIN: TimeDelta = TimeDelta::seconds(60);

pub struct LockedUser<'a> {
    pub row: user::Model,
    /// The time of all changes, read after the lock was acquired.
    pub now: DateTime<Utc>,
    pub(crate) state: &'a State,
    pub(crate) transaction: Transaction,
    initiator: Initiator,
    audit: Vec<audit_log::ActiveModel>,
    /// Sessions to revoke in this process right after the commit, before the events arrive.
    pub(crate) ended: Vec<(Uuid, EndReason)>,
    is_outdated: bool,
    /// Kept until the transaction has ended. `None` for a new user, whose row no other request can lock yet.
    _turn: Option<Turn>,
}

/// A user to create.
pub struct NewUser {
    pub name: String,
    pub email: Email,
    /// As returned by [`crate::password::PasswordHasher::hash`].
    pub password: String,
    pub role: Role,
    pub account_id: Option<AccountId>,
    /// Whether the user has proved that they receive mail at `email`.
    pub email_verified: bool,
    pub language: Option<String>,
}

impl NewUser {
    /// A user with no account and an unverified email.
    pub fn new(name: String, email: Email, password: String, role: Role) -> Self {
        Self { name, email, password, role, account_id: None, email_verified: false, language: None }
    }
}

impl<'a> LockedUser<'a> {
    /// Waits for the user's turn and lock. Returns `None` if there is no such user.
    pub async fn lock(state: &'a State, id: Uuid, initiator: Initiator) -> Result<Option<Self>, DbErr> {
        let turn = take_turn(state, &id.to_string()).await?;
        Self::lock_in_turn(state, turn, id, initiator).await
    }

    /// Like [`lock`](Self::lock), for a caller who already has the user's turn.
    pub async fn lock_in_turn(
        state: &'a State,
        turn: Turn,
        id: Uuid,
        initiator: Initiator,
    ) -> Result<Option<Self>, DbErr> {
        let transaction = state.database.begin().await?;
        let row = user::lock(&transaction, id).await?;
        Ok(row.map(|row| Self::holding(state, transaction, row, initiator, Some(turn))))
    }

    /// Creates a user. No other transaction sees the row before the commit.
    pub async fn create(state: &'a State, new: NewUser, initiator: Initiator) -> Result<Self, AuthError> {
        Self::insert(state, state.database.begin().await?, new, initiator, None).await
    }

    async fn insert(
        state: &'a State,
        transaction: Transaction,
        new: NewUser,
        initiator: Initiator,
        turn: Option<Turn>,
    ) -> Result<Self, AuthError> {
        let now = state.platform.clock().now();
        if link::is_reserved(&transaction, new.email.as_str(), None, now).await? {
            return Err(AuthError::EmailTaken);
        }
        let row = user::ActiveModel {
            id: Set(Uuid::now_v7()),
            search: Set(user::search_text(&new.name, &new.email)),
            name: Set(new.name),
            email: Set(new.email.into()),
            password: Set(new.password),
            role: Set(new.role),
            is_active: Set(true),
            account_id: Set(new.account_id),
            generation: Set(0),
            login_epoch: Set(0),
            email_verified_at: Set(new.email_verified.then_some(now)),
            deleted_at: Set(None),
            time_zone: Set(None),
            language: Set(new.language),
            notifications: Set(None),
            last_login_at: Set(None),
            last_activity_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let row = row.insert(&transaction).await.map_err(AuthError::of_write)?;
        let mut user = Self::holding(state, transaction, row, initiator, turn);
        user.transaction.emit(UserRegistered { user_id: user.row.id, email: user.row.email.clone() });
        user.audit(Action::UserRegistered, None, None);
        Ok(user)
    }

    fn holding(
        state: &'a State,
        transaction: Transaction,
        row: user::Model,
        initiator: Initiator,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            row,
            now: state.platform.clock().now(),
            state,
            transaction,
            initiator,
            audit: vec![],
            ended: vec![],
            is_outdated: false,
            _turn: turn,
        }
    }

    /// Writes columns without effect on access tokens.
    pub async fn update(&mut self, change: user::ActiveModel) -> Result<(), DbErr> {
        let change = user::ActiveModel { id: Set(self.row.id), ..change };
        self.row = change.update(&self.transaction).await?;
        Ok(())
    }

    /// Writes columns and outdates the user's existing access tokens from the commit on. Revokes the personal ones, which
    /// outlive the mark.
    pub async fn update_and_outdate_tokens(&mut self, change: user::ActiveModel) -> Result<(), DbErr> {
        let generation = Set(self.row.generation + 1);
        self.update(user::ActiveModel { generation, updated_at: Set(self.now), ..change }).await?;
        let (user_id, now_is) = (self.row.id, self.row.as_change());
        let mark = user_mark(user_id, &now_is, self.mark_until());
        let UserChange { generation, role, is_active, account_id } = now_is;
        let event = UserUpdated { user_id, role, is_active, generation, account_id };
        self.transaction.emit_with(event, vec![mark]);
        self.is_outdated = true;
        let reason = match (self.row.is_active, self.initiator.actor) {
            (false, _) => EndReason::AccountDisabled,
            (true, Some(_)) => EndReason::Admin,
            (true, None) => EndReason::PasswordChanged,
        };
        self.end_personal_tokens(None, reason).await
    }

    /// Checks, after the current password in `known` was confirmed in a session, that both still exist.
    pub async fn check_confirmed(&self, known: &user::Model, session: Uuid) -> Result<(), AuthError> {
        // A concurrent login may have upgraded the hash, which is fine. A concurrent password change is not.
        if self.row.password != known.password && self.row.login_epoch != known.login_epoch {
            return Err(AuthError::WrongCurrentPassword);
        }
        let session = self.open_session_by_id(session).await?;
        session.map(drop).ok_or(AuthError::SessionEnded)
    }

    /// Adds a row to the audit log. `detail` is never free text; the `Model` of the audit log lists its
    /// values.
    pub fn audit(&mut self, action: Action, session_id: Option<Uuid>, detail: Option<&str>) {
        self.audit.push(audit_row(action, Some(self.row.id), session_id, detail, self.initiator, self.now));
    }

    /// The time until which a mark must be kept: no access token that exists now lives longer.
    pub(crate) fn mark_until(&self) -> DateTime<Utc> {
        self.now + longest_token_life(self.state)
    }

    pub async fn commit(mut self) -> Result<(), DbErr> {
        if !self.audit.is_empty() {
            let rows = std::mem::take(&mut self.audit);
            audit_log::Entity::insert_many(rows).exec_without_returning(&self.transaction).await?;
        }
        self.transaction.commit().await?;
        let revocations = &self.state.platform.tokens().revocations;
        for (session, reason) in self.ended {
            revocations.end_session(session, reason);
        }
        if self.is_outdated {
            revocations.update_user(self.row.id.to_string(), self.row.as_change());
        }
        Ok(())
    }
}

/// A transaction that holds the rows of all active admins. It takes these locks before any other and always in
/// the same order, so that two admins who demote each other come one after the other.
pub struct LockedAdmins<'a> {
    /// The ids of the active admins.
    pub ids: Vec<Uuid>,
    pub transaction: Transaction,
    state: &'a State,
    initiator: Initiator,
    turn: Turn,
}

impl<'a> LockedAdmins<'a> {
    /// Waits for the locks.
    ///
    /// # Errors
    /// [`AuthError::NotAnAdmin`] if the acting user is not an active admin. The token may still have the role
    /// `admin`, because the demotion came while the request waited or has not arrived here yet.
    pub async fn lock(state: &'a State, initiator: Initiator) -> Result<Self, AuthError> {
        let turn = take_turn(state, ADMINS).await?;
        let transaction = state.database.begin().await?;
        let ids = user::lock_active_admins(&transaction).await?;
        if initiator.actor.is_some_and(|actor| !ids.contains(&actor)) {
            return Err(AuthError::NotAnAdmin);
        }
        Ok(Self { ids, transaction, state, initiator, turn })
    }

    /// The time of all changes.
    pub fn now(&self) -> DateTime<Utc> {
        self.state.platform.clock().now()
    }

    /// Creates a user in the same transaction.
    pub async fn create_user(self, new: NewUser) -> Result<LockedUser<'a>, AuthError> {
        let Self { state, transaction, initiator, turn, .. } = self;
        LockedUser::insert(state, transaction, new, initiator, Some(turn)).await
    }

    /// Locks a user in the same transaction.
    pub async fn lock_user(self, id: Uuid) -> Result<LockedUser<'a>, AuthError> {
        let Self { state, transaction, initiator, turn, .. } = self;
        let row = user::lock(&transaction, id).await?.ok_or(AuthError::UnknownUser)?;
        Ok(LockedUser::holding(state, transaction, row, initiator, Some(turn)))
    }
}

/// The longest time for which an access token that exists now can still be accepted.
pub fn longest_token_life(state: &State) -> TimeDelta {
    TimeDelta::from_std(state.platform.tokens().lifetime).unwrap_or(TimeDelta::MAX) + MARK_MARGIN
}

/// Builds a row of the audit log.
pub fn audit_row(
    action: Action,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    detail: Option<&str>,
    initiator: Initiator,
    now: DateTime<Utc>,
) -> audit_log::ActiveModel {
    audit_log::ActiveModel {
        action: Set(action.into_str().into()),
        user_id: Set(user_id),
        actor_id: Set(initiator.actor),
        session_id: Set(session_id),
        detail: Set(detail.map(Into::into)),
        ip_address: Set(initiator.ip.map(|ip| ip.to_string())),
        created_at: Set(now),
        ..Default::default()
    }
}

/// Waits for a turn. A turn that does not come in time counts as a database without a free connection.
pub async fn take_turn(state: &State, caller: &str) -> Result<Turn, DbErr> {
    state.turns.take(caller).await.map_err(|Busy| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}
