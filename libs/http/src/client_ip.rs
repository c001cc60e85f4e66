use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::{ApiError, client_ip};

/// The address of the client: that of the connection, or, if a configured proxy made the connection, the
/// rightmost hop of `X-Forwarded-For` that is not a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl FromRequest for ClientIp {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            client_ip(request).map(Self).ok_or_else(|| ApiError::internal("a connection without an address")),
        )
    }
}
