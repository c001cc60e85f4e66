use std::net::IpAddr;

use chrono::{DateTime, Utc};
use contracts::Acr;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::require::methods;
use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::factor::proof::{ChallengeOwner, FactorProof, Shown, within_limits};
use crate::login::account_locks::Place;
use crate::passkey::ChallengePurpose;
use crate::password::Password;
use crate::session::entity as session;
use crate::state::State;
use crate::user::confirm_password::confirm_password;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// The strength of a session after a step-up.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Raised {
    /// `pwd`, `mfa`, or `phr` for a passkey.
    #[schema(value_type = String)]
    pub acr: Acr,
    /// The methods of the login and of later step-ups (RFC 8176).
    pub amr: Vec<String>,
    /// The time of the login or of the last step-up.
    pub auth_time: DateTime<Utc>,
    /// The time until which sensitive actions need no further step-up; `null` if they need one.
    pub fresh_until: Option<DateTime<Utc>>,
}

impl Raised {
    pub fn of(state: &State, session: &session::Model) -> Self {
        let auth_time = session.authenticated_at();
        let fresh_until = auth_time + state.platform.tokens().step_up_window;
        let is_fresh = session.acr > Acr::Pwd && fresh_until >= state.platform.clock().now();
        Self {
            acr: session.acr,
            amr: session.amr.split_whitespace().map(Into::into).collect(),
            auth_time,
            fresh_until: is_fresh.then_some(fresh_until),
        }
    }
}

/// Raises the strength of a session by a second factor.
///
/// # Errors
/// [`AuthError::WrongFactor`], or 429 after too many wrong ones.
pub async fn step_up(
    state: &State,
    user_id: Uuid,
    session_id: Uuid,
    proof: &FactorProof,
    ip: IpAddr,
) -> Result<Raised, AuthError> {
    let given = proof.given()?;
    let known = user::by_id(&state.database, user_id).await?.ok_or(AuthError::UnknownCaller)?;
    let compare = async {
        let user = LockedUser::lock(state, user_id, Initiator::user_at(ip)).await?;
        let mut user = user.filter(|user| user.row.is_active).ok_or(AuthError::UnknownCaller)?;
        let session = user.open_session_by_id(session_id).await?.ok_or(AuthError::SessionEnded)?;
        let shown = user
            .accept_factor(given, ChallengeOwner { purpose: ChallengePurpose::StepUp, id: session_id })
            .await?;
        let session = user.strengthen(&session, shown).await?;
        user.audit(Action::StepUp, Some(session_id), Some(session.acr.into_str()));
        user.commit().await?;
        Ok(Raised::of(state, &session))
    };
    within_limits(state, &known, Place::Session(session_id), ip, compare).await
}

/// Confirms the password of a user without a second factor, who may then add one.
///
/// # Errors
/// [`AuthError::StepUpRequired`] if the user has a second factor: a password does not stand in for it.
pub async fn confirm_again(
    state: &State,
    person: &Person,
    password: Password,
    ip: IpAddr,
) -> Result<Raised, AuthError> {
    let (known, _attempt) = confirm_password(state, person, password, ip).await?;
    let user = LockedUser::lock(state, person.id, Initiator::user_at(ip)).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    user.check_confirmed(&known, person.session.id).await?;
    if user.row.has_factor {
        return Err(AuthError::StepUpRequired { methods: methods(&user.transaction, &known).await? });
    }
    let session = user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
    let session = user.strengthen(&session, Shown::PASSWORD).await?;
    user.audit(Action::StepUp, Some(session.id), Some("password"));
    user.commit().await?;
    Ok(Raised::of(state, &session))
}
