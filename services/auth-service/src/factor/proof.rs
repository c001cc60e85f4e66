use std::net::IpAddr;

use contracts::Acr;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::audit::action::Action;
use crate::error::AuthError;
use crate::limits;
use crate::login::account_locks::{self, Place};
use crate::login::attempt::Attempt;
use crate::login::guard::{record_failure, refuse};
use crate::passkey::ChallengePurpose;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;

const MAX_CHARS: u64 = 64;

/// The proof of a second factor: one of the three.
#[derive(Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FactorProof {
    /// The six digits of an authenticator app.
    #[validate(length(max = MAX_CHARS))]
    #[schema(max_length = 64)]
    pub code: Option<String>,
    #[validate(length(max = MAX_CHARS))]
    #[schema(max_length = 64)]
    pub recovery_code: Option<String>,
    /// The response of a passkey, in the JSON form of WebAuthn.
    #[schema(value_type = Option<Object>)]
    pub assertion: Option<Value>,
    /// A new passkey, for a user who has to add a factor.
    #[schema(value_type = Option<Object>)]
    pub registration: Option<Value>,
    /// The name of the new passkey.
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    pub name: Option<String>,
}

/// A second factor that a request sends.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    Code(&'a str),
    RecoveryCode(&'a str),
    Assertion(&'a Value),
    Registration { registration: &'a Value, name: Option<&'a str> },
}

/// A factor that a person showed, for the strength of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub acr: Acr,
    /// In the terms of `amr`.
    pub methods: &'static [&'static str],
}

impl Shown {
    pub const PASSWORD: Self = Self { acr: Acr::Pwd, methods: &["pwd"] };
    pub const MAIL: Self = Self { acr: Acr::Pwd, methods: &["email"] };
    pub const CODE: Self = Self { acr: Acr::Mfa, methods: &["otp", "mfa"] };
    /// A passkey after a password.
    pub const PASSKEY: Self = Self { acr: Acr::Phr, methods: &["pop", "mfa"] };
    /// A passkey alone, which verified the person.
    pub const PASSKEY_ALONE: Self = Self { acr: Acr::Phr, methods: &["pop", "user"] };
    pub const TRUSTED_DEVICE: Self = Self { acr: Acr::Pwd, methods: &["swk"] };

    /// Adds the methods to those of a session.
    pub fn added_to(self, amr: &str) -> String {
        let mut all: Vec<&str> = amr.split_whitespace().collect();
        for method in self.methods {
            if !all.contains(method) {
                all.push(method);
            }
        }
        all.join(" ")
    }
}

impl FactorProof {
    /// # Errors
    /// If there is none, or more than one.
    pub fn given(&self) -> Result<Given<'_>, AuthError> {
        match (&self.code, &self.recovery_code, &self.assertion, &self.registration) {
            (Some(code), None, None, None) => Ok(Given::Code(code)),
            (None, Some(code), None, None) => Ok(Given::RecoveryCode(code)),
            (None, None, Some(assertion), None) => Ok(Given::Assertion(assertion)),
            (None, None, None, Some(registration)) => {
                Ok(Given::Registration { registration, name: self.name.as_deref() })
            }
            _ => Err(AuthError::NoFactor),
        }
    }
}

impl Given<'_> {
    /// The error of a wrong factor. It does not tell a used code, or one that was nearly right, from any other.
    pub fn wrong(&self) -> AuthError {
        let field = match self {
            Self::Code(_) => "code",
            Self::RecoveryCode(_) => "recoveryCode",
            Self::Assertion(_) => "assertion",
            Self::Registration { .. } => "registration",
        };
        AuthError::WrongFactor { field }
    }
}

/// Compares a second factor within the limits and locks of passwords, and counts a wrong one like a wrong password.
pub async fn within_limits<T>(
    state: &State,
    user: &user::Model,
    place: Place,
    ip: IpAddr,
    compare: impl Future<Output = Result<T, AuthError>>,
) -> Result<T, AuthError> {
    let email = Email::parse(&user.email).map_err(|_error| AuthError::UnknownCaller)?;
    let attempt = Attempt { email, ip };
    let locks = account_locks::read(state, &attempt.account(), &place).await?;
    refuse(locks.here)?;
    if locks.everywhere.is_some() && !account_locks::is_familiar(state, &attempt, Some(user.id)).await? {
        refuse(locks.everywhere)?;
    }
    limits::admit_attempt(state, &attempt, &place).await?;
    let compared = compare.await;
    let failure = match compared {
        Err(AuthError::WrongFactor { .. }) => Some(Action::SecondFactorFailed),
        Err(AuthError::ClonedPasskey) => Some(Action::PasskeyCloned),
        _ => None,
    };
    if failure.is_some() {
        record_failure(state, failure, &attempt, Some(user.id), &place, true).await?;
    }
    compared
}

/// The owner of a challenge that a passkey answers: a session, or a login that waits for its second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeOwner {
    pub purpose: ChallengePurpose,
    pub id: Uuid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_added_once() {
        assert_eq!(Shown::CODE.added_to("pwd"), "pwd otp mfa");
        assert_eq!(Shown::PASSKEY.added_to("pwd otp mfa"), "pwd otp mfa pop");
        assert_eq!(Shown::PASSWORD.added_to(""), "pwd");
    }

    #[test]
    fn exactly_one_factor_is_sent() {
        let code = || Some("1".to_owned());
        assert!(FactorProof { code: code(), ..FactorProof::default() }.given().is_ok());
        assert!(FactorProof::default().given().is_err());
        assert!(
            FactorProof { code: code(), recovery_code: code(), ..FactorProof::default() }.given().is_err()
        );
    }
}
