//! Permissions as extractors. No viewer reaches a handler that takes an [`Engineer`]: the request is refused
//! before the rest of it is read.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use contracts::Role;
use uuid::Uuid;

use crate::State;
use crate::actor::Actor;
use crate::audience::Audience;

macro_rules! at_least {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        pub struct $name(pub Actor);

        impl FromRequest for $name {
            type Error = http::ApiError;
            type Future = Ready<Result<Self, http::ApiError>>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                ready(actor_with($role, request, payload).map(Self))
            }
        }
    };
}

at_least!(
    /// A caller with any role.
    Viewer,
    Role::Viewer
);
at_least!(
    /// A caller that may decide on drifts.
    Engineer,
    Role::Engineer
);
at_least!(
    /// A caller that may undo and delete.
    Admin,
    Role::Admin
);

fn actor_with(role: Role, request: &HttpRequest, payload: &mut Payload) -> Result<Actor, http::ApiError> {
    let caller = http::Caller::from_request(request, payload).into_inner()?;
    caller.require(role)?;
    let http::RequestId(request_id) = http::RequestId::from_request(request, payload).into_inner()?;
    let own_request_id = Uuid::now_v7().to_string();
    Ok(Actor { user_id: caller.user_id, role: caller.role, request_id, own_request_id })
}

/// A caller that reads: with `PUBLIC_READS=false` a user or a service token, otherwise anyone.
pub struct Reader {
    pub audience: Audience,
    /// `None` without an account.
    pub user_id: Option<String>,
}

impl FromRequest for Reader {
    type Error = http::ApiError;
    type Future = Ready<Result<Self, http::ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reads_are_public =
            request.app_data::<Data<State>>().is_some_and(|state| state.settings.public_reads);
        let caller = if reads_are_public {
            http::MaybeCaller::from_request(request, payload)
                .into_inner()
                .map(|http::MaybeCaller(caller)| caller)
        } else {
            http::Caller::from_request(request, payload).into_inner().map(Some)
        };
        ready(caller.map(|caller| Self {
            audience: caller.as_ref().map_or(Audience::Public, |caller| caller.role.into()),
            user_id: caller.map(|caller| caller.user_id),
        }))
    }
}
