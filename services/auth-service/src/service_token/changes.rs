//! Service tokens: long-lived access tokens for machines. Each one has a session id of its own. Every service
//! therefore verifies it in memory, and hears of its revocation as it hears of the end of any session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::{EndReason, SessionDeleted};
use contracts::{AccountId, Holder, Role};
use database::Transaction;
use identity::{TokenUses, service_subject, session_mark};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::error::AuthError;
use crate::service_token::entity as service_token;
use crate::state::State;
use crate::token::access_token;
use crate::user::locked_user::{LockedAdmins, LockedUser, MARK_MARGIN, audit_row};
use crate::user::name::Name;

/// Default lifetime of a token created without an expiry.
pub(super) const DEFAULT_LIFE: TimeDelta = TimeDelta::days(90);
/// The longest lifetime that a request may ask for.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(3_650);
/// Maximum number of valid tokens. Bounded because the sweeper reads the last use of each.
const MAX_VALID: u64 = 500;

pub struct NewServiceToken {
    pub name: Name,
    pub role: Role,
    pub account_id: Option<AccountId>,
    pub expires_at: Option<DateTime<Utc>>,
    /// Revoke the creator's other tokens of this name.
    pub replaces_its_name: bool,
}

/// Creates a token and returns its text, which is not stored.
///
/// Holds the lock of the admin who creates the token. No token can therefore appear after the tokens of its
/// creator were revoked.
pub async fn create(
    state: &State,
    new: NewServiceToken,
    admin: Uuid,
    initiator: Initiator,
) -> Result<(service_token::Model, String), AuthError> {
    let creator = LockedUser::lock(state, admin, initiator).await?;
    let mut creator = creator.filter(LockedUser::is_active_admin).ok_or(AuthError::NotAnAdmin)?;
    let now = creator.now;
    let (id, name) = (Uuid::now_v7(), String::from(new.name));
    if new.replaces_its_name {
        creator.end_service_tokens(Some(&name), EndReason::Admin).await?;
    }
    if service_token::count_valid(&creator.transaction, now).await? >= MAX_VALID {
        return Err(AuthError::TooManyServiceTokens);
    }
    let holder = Holder {
        subject: service_subject(id),
        email: name.clone(),
        role: new.role,
        account_id: new.account_id,
        generation: 0,
        session: id,
    };
    insert(state, creator, holder, name, new.expires_at.unwrap_or(now + DEFAULT_LIFE), false).await
}

/// Signs a token, and stores it in the transaction of its creator, which is then committed. The id of the token is its
/// session.
pub(super) async fn insert(
    state: &State,
    mut creator: LockedUser<'_>,
    holder: Holder,
    name: String,
    expires_at: DateTime<Utc>,
    is_personal: bool,
) -> Result<(service_token::Model, String), AuthError> {
    let Holder { session: id, role, account_id, .. } = holder.clone();
    let token = access_token::sign(state, holder, creator.now, expires_at)?.token;
    let row = service_token::ActiveModel {
        id: Set(id),
        name: Set(name),
        role: Set(role),
        account_id: Set(account_id),
        token_hash: Set(URL_SAFE_NO_PAD.encode(Sha256::digest(&token))),
        created_by: Set(creator.row.id),
        created_at: Set(creator.now),
        expires_at: Set(expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
        revoked_reason: Set(None),
        is_personal: Set(is_personal),
    };
    let row = row.insert(&creator.transaction).await?;
    creator.audit(Action::ServiceTokenCreated, Some(id), is_personal.then_some("personal"));
    creator.commit().await?;
    state.metrics.token(if is_personal { "personal" } else { "service" });
    Ok((row, token))
}

/// Stores the last use of each token, as reported by the services that accepted it.
pub async fn record_uses(state: &State) -> anyhow::Result<()> {
    for id in service_token::live_ids(&state.database, state.platform.clock().now()).await? {
        if let Some(at) = TokenUses::take(state.platform.backplane(), id).await? {
            service_token::record_use(&state.database, id, at).await?;
        }
    }
    Ok(())
}

/// Revokes a token in all services.
pub async fn end(state: &State, id: Uuid, reason: EndReason, initiator: Initiator) -> Result<(), AuthError> {
    let mut admins = LockedAdmins::lock(state, initiator).await?;
    let (transaction, now) = (&mut admins.transaction, state.platform.clock().now());
    let token = service_token::end(transaction, id, reason, now).await?;
    let token = token.ok_or(AuthError::UnknownServiceToken)?;
    let audit = audit_row(Action::ServiceTokenEnded, None, Some(id), Some(reason.into_str()), initiator, now);
    audit_log::Entity::insert(audit).exec_without_returning(transaction).await?;
    emit_end(transaction, &token, reason);
    admins.transaction.commit().await?;
    state.platform.tokens().revocations.end_session(id, reason);
    Ok(())
}

/// Revokes the tokens whose creator is not an active admin. Covers rows that were changed by hand or restored
/// from a backup; see also [`LockedUser::end_service_tokens`].
pub async fn end_orphaned(state: &State) -> Result<(), AuthError> {
    for id in service_token::orphaned_ids(&state.database, state.platform.clock().now()).await? {
        match end(state, id, EndReason::Admin, Initiator::service_itself()).await {
            // Another replica was faster.
            Ok(()) | Err(AuthError::UnknownServiceToken) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl LockedUser<'_> {
    pub fn is_active_admin(&self) -> bool {
        self.row.is_active && self.row.role == Role::Admin
    }

    /// Revokes the service tokens that the user created; with `name`, only those of that name. A token must not
    /// outlive its creator's right to create it.
    pub async fn end_service_tokens(&mut self, name: Option<&str>, reason: EndReason) -> Result<(), DbErr> {
        for token in service_token::end_of(&self.transaction, self.row.id, name, reason, self.now).await? {
            emit_end(&mut self.transaction, &token, reason);
            self.audit(Action::ServiceTokenEnded, Some(token.id), Some(reason.into_str()));
            self.ended.push((token.id, reason));
        }
        Ok(())
    }
}

pub(super) fn emit_end(transaction: &mut Transaction, token: &service_token::Model, reason: EndReason) {
    let mark = session_mark(token.id, reason, token.expires_at + MARK_MARGIN);
    // The subject of the token.
    let user_id = if token.is_personal { token.created_by } else { token.id };
    let event = SessionDeleted { user_id, session_id: token.id, reason };
    transaction.emit_with(event, vec![mark]);
}
