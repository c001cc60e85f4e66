//! Callers as extractors: a handler that takes one cannot be reached by anybody else.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use contracts::Role;
use uuid::Uuid;
use web::{ApiError, Caller};

use crate::error::AuthError;

/// A person with a session, as opposed to a machine with a service token.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub id: Uuid,
    pub session_id: Uuid,
}

impl FromRequest for Person {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        ready(caller.and_then(|caller| person(&caller)))
    }
}

/// An admin.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    pub id: Uuid,
}

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        ready(caller.and_then(|caller| {
            caller.require(Role::Admin)?;
            Ok(Self { id: user_id(&caller)? })
        }))
    }
}

fn person(caller: &Caller) -> Result<Person, ApiError> {
    let session_id = caller.session_id.ok_or(AuthError::NotAPerson)?;
    Ok(Person { id: user_id(caller)?, session_id })
}

/// The user that the token names; a machine's names none.
pub fn user_id(caller: &Caller) -> Result<Uuid, ApiError> {
    caller.user_id.parse().map_err(|_| AuthError::NotAPerson.into())
}
