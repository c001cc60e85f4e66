//! The caller of an endpoint that reads.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use crate::State;
use crate::audience::Audience;

/// A caller that reads: with `PUBLIC_READS=false` a user or a service token, otherwise anyone.
pub struct Reader {
    pub audience: Audience,
    /// `None` without an account.
    pub user_id: Option<String>,
}

impl From<&http::Caller> for Reader {
    fn from(caller: &http::Caller) -> Self {
        Self { audience: caller.role.into(), user_id: Some(caller.user_id.clone()) }
    }
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
        let stranger = || Self { audience: Audience::Public, user_id: None };
        ready(caller.map(|caller| caller.as_ref().map_or_else(stranger, Self::from)))
    }
}
