//! Extractors for kinds of callers. A handler that takes an `Admin`, for example, is reached only by admins.
//!
//! A token is first verified in memory, as in every service. This service also looks up its user and session.
//! A token is refused if either does not exist, or if the session belongs to a different user than the token
//! names.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use contracts::Role;
use http::{ApiError, Caller};
use identity::service_token_id;
use uuid::Uuid;

use crate::error::AuthError;
use crate::service_token::entity as service_token;
use crate::session::entity as session;
use crate::state::State;
use crate::user::entity as user;

/// A person with a live session, as opposed to a machine with a service token.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub session: session::Model,
}

/// A person with a live session who is an engineer or an admin.
#[derive(Clone, Debug)]
pub struct Engineer(pub Person);

/// A person. The token may come from the old stack and then names no session.
#[derive(Clone, Copy, Debug)]
pub struct AnyPerson {
    pub id: Uuid,
}

/// An admin.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    pub id: Uuid,
    /// `None` if the token comes from the old stack.
    pub session: Option<Uuid>,
}

/// The caller of a verified token, found in the database.
enum KnownCaller {
    Person { id: Uuid, session: Box<session::Model>, caller: Caller },
    PersonWithoutSession { id: Uuid, caller: Caller },
    Machine,
}

impl KnownCaller {
    async fn find(state: &State, caller: Caller) -> Result<Self, AuthError> {
        if let Some(id) = service_token_id(&caller.user_id) {
            let token = service_token::by_id(&state.database, id).await?;
            let is_valid = token.is_some_and(|token| token.revoked_at.is_none());
            return if is_valid { Ok(Self::Machine) } else { Err(AuthError::UnknownCaller) };
        }
        let id = caller.user_id.parse().map_err(|_error| AuthError::UnknownCaller)?;
        let Some(session_id) = caller.session_id else {
            // The database is asked, because no session ends such a token and the marks of the user may
            // expire before the token.
            let user = user::by_id(&state.database, id).await?.filter(|user| user.is_active);
            let role = user.ok_or(AuthError::UnknownCaller)?.role;
            return Ok(Self::PersonWithoutSession { id, caller: Caller { role, ..caller } });
        };
        let session = session::by_id(&state.database, session_id).await?;
        let session = session.filter(|session| session.user_id == id).ok_or(AuthError::UnknownCaller)?;
        if session.is_live(state.platform.clock().now(), state.settings.idle_timeout()) {
            Ok(Self::Person { id, session: Box::new(session), caller })
        } else {
            Err(AuthError::SessionEnded)
        }
    }
}

type Identified = Result<KnownCaller, ApiError>;

/// Middleware that identifies the caller for the extractors of this module. The extractors then resolve at
/// once, so a caller without permission learns nothing about the rest of the request.
pub async fn identify(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let identified: Identified = match Caller::extract(request.request()).await {
        Ok(caller) => KnownCaller::find(&state, caller).await.map_err(Into::into),
        Err(error) => Err(error),
    };
    request.extensions_mut().insert(identified);
    next.call(request).await
}

fn identified(request: &HttpRequest) -> Identified {
    let found = request.extensions_mut().remove::<Identified>();
    found.unwrap_or_else(|| Err(ApiError::internal("the caller of this request was not identified")))
}

impl FromRequest for Person {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identified(request).and_then(|known| match known {
            KnownCaller::Person { id, session, .. } => Ok(Self { id, session: *session }),
            KnownCaller::PersonWithoutSession { .. } | KnownCaller::Machine => {
                Err(AuthError::NotAPerson.into())
            }
        }))
    }
}

impl FromRequest for Engineer {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identified(request).and_then(|known| match known {
            KnownCaller::Person { id, session, caller } => {
                caller.require(Role::Engineer)?;
                Ok(Self(Person { id, session: *session }))
            }
            KnownCaller::PersonWithoutSession { .. } | KnownCaller::Machine => {
                Err(AuthError::NotAPerson.into())
            }
        }))
    }
}

impl FromRequest for AnyPerson {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identified(request).and_then(|known| match known {
            KnownCaller::Person { id, .. } | KnownCaller::PersonWithoutSession { id, .. } => Ok(Self { id }),
            KnownCaller::Machine => Err(AuthError::NotAPerson.into()),
        }))
    }
}

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identified(request).and_then(|known| match known {
            KnownCaller::Person { id, caller, .. } | KnownCaller::PersonWithoutSession { id, caller } => {
                caller.require(Role::Admin)?;
                Ok(Self { id, session: caller.session_id })
            }
            KnownCaller::Machine => Err(AuthError::NotAPerson.into()),
        }))
    }
}
