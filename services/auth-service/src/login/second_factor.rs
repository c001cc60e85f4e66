//! The second step of a login.

use std::net::IpAddr;

use contracts::Acr;
use contracts::events::auth::FactorKind;
use sea_orm::DbErr;
use serde_json::Value;
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::factor::changes::{close_secret, open_secret};
use crate::factor::enrol::NewTotp;
use crate::factor::proof::{ChallengeOwner, FactorProof, Given, Shown, within_limits};
use crate::factor::totp::TotpSecret;
use crate::factor::totp_factor;
use crate::limits;
use crate::link::token::SignedFor;
use crate::login::account_locks::Place;
use crate::login::attempt::Attempt;
use crate::login::log_in::{LoggedIn, open_session};
use crate::login::networks::own_network;
use crate::login::pending;
use crate::passkey::{self, ChallengePurpose};
use crate::session::changes::Opening;
use crate::session::device::Device;
use crate::state::State;
use crate::trusted_device::entity as trusted_device;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;
use crate::user::name::Name;

/// The name of a passkey that is added during a login. The user can change it.
const NEW_PASSKEY: &str = "Passkey";

/// A completed login.
pub struct Completed {
    pub logged_in: LoggedIn,
    /// Present if the user added a first factor.
    pub recovery_codes: Option<Vec<String>>,
    /// The device that needs no second factor from now on.
    pub trusted_device: Option<Uuid>,
}

/// Reads an `mfaToken`.
///
/// # Errors
/// [`AuthError::PendingLoginEnded`] if it is not genuine, has expired, or completed a login.
pub async fn pending_login(state: &State, token: &str) -> Result<(pending::Model, user::Model), AuthError> {
    let id = state.links.read_signed(SignedFor::PendingLogin, token);
    let id = id.map_err(|_refusal| AuthError::PendingLoginEnded)?;
    let now = state.platform.clock().now();
    let login = pending::open_by_id(&state.database, id, now).await?.ok_or(AuthError::PendingLoginEnded)?;
    let user = user::by_id(&state.database, login.user_id).await?;
    // A user whose sessions were ended since then must begin again.
    let user = user.filter(|user| user.is_active && user.login_epoch == login.login_epoch);
    Ok((login, user.ok_or(AuthError::PendingLoginEnded)?))
}

/// Completes a login with a second factor, or by adding the first one.
pub async fn complete(
    state: &State,
    token: &str,
    proof: &FactorProof,
    trusts_device: bool,
    device: Device,
    ip: IpAddr,
) -> Result<Completed, AuthError> {
    let given = proof.given()?;
    let (login, known) = pending_login(state, token).await?;
    let place = Place::Network(own_network(ip));
    let compare = async {
        // Counted before the comparison, so that parallel guesses are counted too.
        if !pending::count_try(&state.database, login.id).await? {
            return Err(AuthError::PendingLoginEnded);
        }
        let mut user = lock(state, &login, ip).await?;
        let (shown, recovery_codes) = if login.is_enrolment {
            add_first(&mut user, &login, given).await?
        } else {
            (
                user.accept_factor(
                    given,
                    ChallengeOwner { purpose: ChallengePurpose::SecondFactor, id: login.id },
                )
                .await?,
                None,
            )
        };
        if !pending::use_up(&user.transaction, login.id, user.now).await? {
            return Err(AuthError::PendingLoginEnded);
        }
        let trusted_device = if trusts_device { trust(&mut user, device.clone()).await? } else { None };
        let email = Email::parse(&user.row.email).map_err(|_error| AuthError::PendingLoginEnded)?;
        let amr = shown.added_to(&login.method.shown().added_to(""));
        let opening =
            Opening { device, acr: shown.acr.max(Acr::Mfa), amr, auth_time: None, trusted_device: None };
        let logged_in = open_session(user, &Attempt { email, ip }, opening).await?;
        Ok(Completed { logged_in, recovery_codes, trusted_device })
    };
    within_limits(state, &known, place, ip, compare).await
}

async fn lock<'a>(state: &'a State, login: &pending::Model, ip: IpAddr) -> Result<LockedUser<'a>, AuthError> {
    let user = LockedUser::lock(state, login.user_id, Initiator::user_at(ip)).await?;
    let user = user.filter(|user| user.row.is_active && user.row.login_epoch == login.login_epoch);
    let user = user.ok_or(AuthError::PendingLoginEnded)?;
    // A factor that was added meanwhile has to be shown.
    let is_as_before = user.row.has_factor != login.is_enrolment;
    if is_as_before { Ok(user) } else { Err(AuthError::PendingLoginEnded) }
}

/// Adds the first second factor of a user who may do nothing else yet.
async fn add_first(
    user: &mut LockedUser<'_>,
    login: &pending::Model,
    given: Given<'_>,
) -> Result<(Shown, Option<Vec<String>>), AuthError> {
    match given {
        Given::Code(code) => add_totp(user, login, code).await,
        Given::Registration { registration, name } => {
            let (id, now) = (login.user_id, user.now);
            let name =
                Name::try_from(name.unwrap_or(NEW_PASSKEY).to_owned()).map_err(|_error| given.wrong())?;
            passkey::register(user.state, &user.transaction, id, login.id, name, registration, now).await?;
            let codes = user.add_factor(FactorKind::Passkey, None, Shown::PASSKEY).await?;
            Ok((Shown::PASSKEY, codes))
        }
        Given::RecoveryCode(_) | Given::Assertion(_) => Err(given.wrong()),
    }
}

async fn add_totp(
    user: &mut LockedUser<'_>,
    login: &pending::Model,
    code: &str,
) -> Result<(Shown, Option<Vec<String>>), AuthError> {
    let wrong = || Given::Code(code).wrong();
    let sealed = login.totp_secret.as_ref().ok_or_else(wrong)?;
    let secret = open_secret(user.state, login.user_id, sealed)?;
    let step = secret.step_of(code, user.now, 0).map_err(AuthError::Factor)?;
    let app = totp_factor::Model {
        user_id: login.user_id,
        secret: sealed.clone(),
        last_step: step.ok_or_else(wrong)?,
        created_at: user.now,
        confirmed_at: Some(user.now),
        last_used_at: None,
    };
    totp_factor::put(&user.transaction, app).await?;
    let codes = user.add_factor(FactorKind::Totp, None, Shown::CODE).await?;
    Ok((Shown::CODE, codes))
}

/// Returns the options of a passkey that a user who has to add a second factor creates.
pub async fn begin_passkey(state: &State, token: &str) -> Result<Value, AuthError> {
    let (login, known) = pending_login(state, token).await?;
    if !login.is_enrolment {
        return Err(AuthError::FactorExists);
    }
    passkey::creation_options(state, &known, login.id).await
}

/// Returns the options for showing a passkey as second factor.
pub async fn passkey_options(state: &State, token: &str) -> Result<Value, AuthError> {
    let (login, known) = pending_login(state, token).await?;
    passkey::request_options(state, known.id, login.id, ChallengePurpose::SecondFactor).await
}

/// Creates the secret of an app for a user who has to add a second factor.
pub async fn begin_totp(state: &State, token: &str, ip: IpAddr) -> Result<NewTotp, AuthError> {
    let (login, known) = pending_login(state, token).await?;
    limits::admit_settings_change(state, known.id).await?;
    let user = lock(state, &login, ip).await?;
    if !login.is_enrolment {
        return Err(AuthError::FactorExists);
    }
    let secret = TotpSecret::generate().map_err(AuthError::Factor)?;
    let sealed = close_secret(state, known.id, &secret)?;
    pending::set_totp_secret(&user.transaction, login.id, sealed).await?;
    user.commit().await?;
    NewTotp::of(&secret, &known.email)
}

async fn trust(user: &mut LockedUser<'_>, device: Device) -> Result<Option<Uuid>, DbErr> {
    let days = user.state.settings.factors.trusted_device_days;
    if days == 0 {
        return Ok(None);
    }
    let expires_at = user.now + chrono::TimeDelta::days(days.into());
    let id = trusted_device::insert(&user.transaction, user.row.id, device, user.now, expires_at).await?;
    user.audit(Action::DeviceTrusted, None, None);
    Ok(Some(id))
}
