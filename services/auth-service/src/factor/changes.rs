//! The changes of a locked user's second factors.

use contracts::Acr;
use contracts::events::auth::{EndReason, FactorChange, FactorChanged, FactorKind, SessionStrengthened};
use identity::{Opened, StepUp, step_up_mark};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DbErr};
use uuid::Uuid;

use crate::audit::action::Action;
use crate::error::AuthError;
use crate::factor::proof::{ChallengeOwner, Given, Shown};
use crate::factor::totp::TotpSecret;
use crate::factor::{recovery_code, totp_factor};
use crate::mail_queue::entity::{self as mail, MailContent, NewMail, Template};
use crate::passkey::{self, ChallengePurpose};
use crate::session::entity as session;
use crate::state::State;
use crate::trusted_device::entity as trusted_device;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// Number of secrets that are read at once.
const BATCH: u64 = 500;

impl LockedUser<'_> {
    /// Accepts a second factor of the user, once.
    ///
    /// # Errors
    /// [`AuthError::WrongFactor`] for any that is not accepted.
    pub async fn accept_factor(
        &mut self,
        given: Given<'_>,
        owner: ChallengeOwner,
    ) -> Result<Shown, AuthError> {
        match given {
            Given::Code(code) => {
                let app = totp_factor::of_user(&self.transaction, self.row.id).await?;
                let app = app.ok_or_else(|| given.wrong())?;
                let secret = open_secret(self.state, self.row.id, &app.secret)?;
                let step = secret.step_of(code, self.now, app.last_step).map_err(AuthError::Factor)?;
                let step = step.ok_or_else(|| given.wrong())?;
                totp_factor::set_used(&self.transaction, self.row.id, step, self.now).await?;
                Ok(Shown::CODE)
            }
            Given::RecoveryCode(code) => {
                if !recovery_code::use_up(&self.transaction, self.row.id, code, self.now).await? {
                    return Err(given.wrong());
                }
                let session = (owner.purpose == ChallengePurpose::StepUp).then_some(owner.id);
                self.audit(Action::RecoveryCodeUsed, session, None);
                self.tell_of_factor(FactorChange::Used, FactorKind::RecoveryCodes, session).await?;
                Ok(Shown::CODE)
            }
            // A user who has a factor shows it.
            Given::Registration { .. } => Err(given.wrong()),
            Given::Assertion(assertion) => {
                let ChallengeOwner { purpose, id } = owner;
                passkey::verify(self.state, &self.transaction, assertion, purpose, Some(id), self.now)
                    .await?;
                Ok(Shown::PASSKEY)
            }
        }
    }

    /// Raises the strength of a session. Nothing is closed when it is no longer fresh.
    pub async fn strengthen(
        &mut self,
        session: &session::Model,
        shown: Shown,
    ) -> Result<session::Model, DbErr> {
        let acr = session.acr.max(shown.acr);
        let change = session::ActiveModel {
            id: Set(session.id),
            acr: Set(acr),
            amr: Set(shown.added_to(&session.amr)),
            auth_time: Set(Some(self.now)),
            ..Default::default()
        };
        if acr > Acr::Pwd {
            let step_up = StepUp { acr, auth_time: self.now.timestamp() };
            let mark = step_up_mark(session.id, step_up, self.mark_until());
            let StepUp { acr, auth_time } = step_up;
            let event = SessionStrengthened { user_id: self.row.id, session_id: session.id, acr, auth_time };
            self.transaction.emit_with(event, vec![mark]);
            self.stepped_up.push((session.id, step_up));
        }
        change.update(&self.transaction).await
    }

    /// Records that a factor was added in a session, which has shown it by that. Returns recovery codes if the user has
    /// none.
    pub async fn add_factor(
        &mut self,
        factor: FactorKind,
        session: Option<&session::Model>,
        shown: Shown,
    ) -> Result<Option<Vec<String>>, AuthError> {
        self.update(user::ActiveModel { has_factor: Set(true), ..Default::default() }).await?;
        let id = session.map(|session| session.id);
        self.audit(Action::FactorAdded, id, Some(factor.into_str()));
        self.tell_of_factor(FactorChange::Added, factor, id).await?;
        if let Some(session) = session {
            self.strengthen(session, shown).await?;
        }
        if recovery_code::of_user(&self.transaction, self.row.id)
            .await?
            .iter()
            .any(|code| code.used_at.is_none())
        {
            return Ok(None);
        }
        recovery_code::replace(&self.transaction, self.row.id, self.now)
            .await
            .map(Some)
            .map_err(AuthError::Factor)
    }

    /// Records that a factor was removed in a session.
    ///
    /// # Errors
    /// [`AuthError::LastFactor`] if the settings demand one and none is left.
    pub async fn remove_factor(&mut self, factor: FactorKind, session: Uuid) -> Result<(), AuthError> {
        let has_factor = self.counts_factor().await?;
        if !has_factor && self.state.settings.factors.mfa_required.applies_to(self.row.role) {
            return Err(AuthError::LastFactor);
        }
        self.audit(Action::FactorRemoved, Some(session), Some(factor.into_str()));
        self.tell_of_factor(FactorChange::Removed, factor, Some(session)).await?;
        if !has_factor {
            recovery_code::delete_of(&self.transaction, self.row.id).await?;
        }
        self.end_trust().await?;
        self.update(user::ActiveModel { has_factor: Set(has_factor), ..Default::default() }).await?;
        Ok(())
    }

    /// Removes all factors of the user, and ends all sessions: whoever opened them may be the reason.
    pub async fn reset_factors(&mut self) -> Result<(), AuthError> {
        delete_all(&self.transaction, self.row.id).await?;
        self.update(user::ActiveModel { has_factor: Set(false), ..Default::default() }).await?;
        self.audit(Action::FactorsReset, None, None);
        self.tell_of_factor(FactorChange::Reset, FactorKind::Totp, None).await?;
        self.end_all(None, EndReason::Admin).await?;
        Ok(())
    }

    /// Ends the sessions without a second factor, if the user needs one now.
    pub async fn end_sessions_without_factor(&mut self) -> Result<(), DbErr> {
        let required = self.state.settings.factors.mfa_required;
        for session in session::open_of(&self.transaction, self.row.id).await? {
            if required.is_missing_in(&session, self.row.role) {
                self.end_session(&session, EndReason::FactorRequired).await?;
            }
        }
        Ok(())
    }

    /// Ends the trust in all devices of the user.
    pub async fn end_trust(&mut self) -> Result<(), DbErr> {
        if trusted_device::revoke_all_of(&self.transaction, self.row.id, self.now).await? > 0 {
            self.audit(Action::TrustEnded, None, None);
        }
        Ok(())
    }

    async fn counts_factor(&self) -> Result<bool, DbErr> {
        Ok(totp_factor::of_user(&self.transaction, self.row.id).await?.is_some()
            || passkey::entity::count_of(&self.transaction, self.row.id).await? > 0)
    }

    /// Publishes a change of the factors, and tells the user by mail.
    pub async fn tell_of_factor(
        &mut self,
        change: FactorChange,
        factor: FactorKind,
        session_id: Option<Uuid>,
    ) -> Result<(), DbErr> {
        self.transaction.emit(FactorChanged { user_id: self.row.id, session_id, change, factor });
        if !self.state.mailer.is_on() {
            return Ok(());
        }
        let content = MailContent {
            name: Some(self.row.name.clone()),
            change: Some(change.to_string()),
            factor: Some(factor.to_string()),
            ..MailContent::default()
        };
        let notice = NewMail {
            template: Template::FactorChanged,
            link: None,
            user_id: Some(self.row.id),
            recipient: &self.row.email,
            language: self.row.language.clone(),
            content,
        };
        mail::write(&self.transaction, notice, self.now).await?;
        // Too early if the commit is slow: the mail is then found by the next look.
        self.state.mail_is_due.notify_one();
        Ok(())
    }
}

/// Deletes all factors, recovery codes and trusted devices of a user.
pub async fn delete_all(db: &impl sea_orm::ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    totp_factor::delete_of(db, user_id).await?;
    passkey::entity::delete_of(db, user_id).await?;
    recovery_code::delete_of(db, user_id).await?;
    trusted_device::delete_of(db, user_id).await
}

/// Encrypts the secret of a user's app.
pub fn close_secret(state: &State, user_id: Uuid, secret: &TotpSecret) -> Result<String, AuthError> {
    let sealed = state.factor_seal.close(&user_id.to_string(), secret.as_bytes());
    sealed.map_err(|error| AuthError::Factor(error.into()))
}

/// Encrypts the secrets of apps with the main secret that the previous one still encrypts.
pub async fn renew_seals(state: &State) -> Result<(), AuthError> {
    if state.settings.previous_refresh_secret().is_none() {
        return Ok(());
    }
    let mut after = Uuid::nil();
    loop {
        let apps = totp_factor::batch(&state.database, after, BATCH).await?;
        let Some(last) = apps.last() else { return Ok(()) };
        after = last.user_id;
        for app in apps {
            let id = app.user_id.to_string();
            if let Ok(Opened { content, is_outdated: true }) = state.factor_seal.open(&id, &app.secret) {
                let sealed = close_secret(state, app.user_id, &TotpSecret::from_bytes(content))?;
                totp_factor::replace_secret(&state.database, &app, sealed).await?;
            }
        }
    }
}

/// Decrypts the secret of a user's app.
pub fn open_secret(state: &State, user_id: Uuid, sealed: &str) -> Result<TotpSecret, AuthError> {
    let opened = state.factor_seal.open(&user_id.to_string(), sealed);
    let Opened { content, .. } = opened.map_err(|error| AuthError::Factor(error.into()))?;
    Ok(TotpSecret::from_bytes(content))
}
