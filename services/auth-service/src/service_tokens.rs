//! Tokens for machines: access tokens that live long and whose session id is their own, so that every
//! service verifies them in memory and learns of their end as of any session's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::{EndReason, SessionDeleted};
use contracts::{Holder, Role};
use identity::{service_subject, session_mark};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use web::TokenUses;

use crate::access_token;
use crate::audit::{Action, Initiator};
use crate::entity::{StoredRole, audit_log, service_token};
use crate::error::AuthError;
use crate::locked_user::{MARK_MARGIN, audit_row};
use crate::name::Name;
use crate::state::State;

/// How long a token lives that is not given an end.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(3_650);

pub struct NewServiceToken {
    pub name: Name,
    pub role: Role,
    pub account_id: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a token. It is returned here and never again.
pub async fn create(
    state: &State,
    new: NewServiceToken,
    admin: Uuid,
    initiator: Initiator,
) -> Result<(service_token::Model, String), AuthError> {
    let now = state.platform.clock.now();
    let (id, name) = (Uuid::now_v7(), String::from(new.name));
    let expires_at = new.expires_at.unwrap_or(now + LONGEST_LIFE);
    let holder = Holder {
        subject: service_subject(id),
        email: name.clone(),
        role: new.role,
        account_id: new.account_id.clone(),
        generation: 0,
        session: id,
    };
    let token = access_token::sign(state, holder, now, expires_at)?.token;
    let row = service_token::ActiveModel {
        id: Set(id),
        name: Set(name),
        role: Set(StoredRole(new.role)),
        account_id: Set(new.account_id),
        token_hash: Set(URL_SAFE_NO_PAD.encode(Sha256::digest(&token))),
        created_by: Set(admin),
        created_at: Set(now),
        expires_at: Set(expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
    };
    let transaction = state.db.begin().await?;
    let row = row.insert(&*transaction).await?;
    let audit = audit_row(Action::ServiceTokenCreated, None, Some(id), None, initiator, now);
    audit_log::Entity::insert(audit).exec_without_returning(&*transaction).await?;
    transaction.commit().await?;
    state.metrics.token("service");
    Ok((row, token))
}

/// Writes down when tokens were last used, as the services that saw them say.
pub async fn record_uses(state: &State) -> anyhow::Result<()> {
    for id in service_token::live_ids(&*state.db, state.platform.clock.now()).await? {
        if let Some(at) = TokenUses::take(&state.platform.backplane, id).await? {
            service_token::record_use(&*state.db, id, at).await?;
        }
    }
    Ok(())
}

/// Ends a token everywhere.
pub async fn end(state: &State, id: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let mut transaction = state.db.begin().await?;
    let now = state.platform.clock.now();
    let token = service_token::end(&*transaction, id, now).await?.ok_or(AuthError::UnknownServiceToken)?;
    let audit = audit_row(Action::ServiceTokenEnded, None, Some(id), None, initiator, now);
    audit_log::Entity::insert(audit).exec_without_returning(&*transaction).await?;
    let mark = session_mark(id, EndReason::Admin, token.expires_at + MARK_MARGIN);
    let event = SessionDeleted { user_id: id, session_id: id, reason: EndReason::Admin };
    transaction.emit_with(event, vec![mark]);
    transaction.commit().await?;
    state.platform.revocations.end_session(id, EndReason::Admin);
    Ok(())
}
