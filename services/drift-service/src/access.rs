//! Who may do what, as types: a handler that takes an [`Engineer`] cannot be reached by a viewer, and
//! is refused before anything else of the request is looked at.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use contracts::Role;

use crate::State;

/// Who acts, for the audit.
#[derive(Clone, Debug)]
pub struct Actor {
    pub user_id: String,
    pub role: Role,
    pub request_id: String,
}

/// How much of a drift a caller sees. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// No states, no reasons, no actors.
    Public,
    /// Reasons, actors and changed paths, no states.
    Viewer,
    /// Redacted states too.
    Engineer,
}

impl From<Role> for Audience {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Engineer | Role::Admin => Self::Engineer,
        }
    }
}

macro_rules! at_least {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        pub struct $name(pub Actor);

        impl FromRequest for $name {
            type Error = web::ApiError;
            type Future = Ready<Result<Self, web::ApiError>>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                ready(actor_with($role, request, payload).map(Self))
            }
        }
    };
}

at_least!(
    /// Anybody with an account.
    Viewer,
    Role::Viewer
);
at_least!(
    /// Whoever may decide on drifts.
    Engineer,
    Role::Engineer
);
at_least!(
    /// Whoever may undo and delete.
    Admin,
    Role::Admin
);

fn actor_with(role: Role, request: &HttpRequest, payload: &mut Payload) -> Result<Actor, web::ApiError> {
    let caller = web::Caller::from_request(request, payload).into_inner()?;
    caller.require(role)?;
    let web::RequestId(request_id) = web::RequestId::from_request(request, payload).into_inner()?;
    Ok(Actor { user_id: caller.user_id, role: caller.role, request_id })
}

/// Whoever reads: anybody, or with `PUBLIC_READS=false` anybody with an account.
pub struct Reader(pub Audience);

impl FromRequest for Reader {
    type Error = web::ApiError;
    type Future = Ready<Result<Self, web::ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reads_are_public =
            request.app_data::<Data<State>>().is_some_and(|state| state.settings.public_reads);
        let reader = if reads_are_public {
            let caller = web::MaybeCaller::from_request(request, payload).into_inner();
            caller
                .map(|web::MaybeCaller(caller)| caller.map_or(Audience::Public, |caller| caller.role.into()))
        } else {
            let caller = web::Caller::from_request(request, payload).into_inner();
            caller.map(|caller| caller.role.into())
        };
        ready(reader.map(Self))
    }
}
