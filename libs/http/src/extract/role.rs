//! Permissions as extractors. No viewer reaches a handler that takes an [`Engineer`]: the request is refused
//! before the rest of it is read.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use contracts::Role;

use super::caller::Caller;
use crate::ApiError;

macro_rules! at_least {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Caller);

        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let caller = Caller::from_request(request, payload).into_inner();
                ready(caller.and_then(|caller| caller.require($role).map(|()| Self(caller))))
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
    /// A caller that may do everything.
    Admin,
    Role::Admin
);
