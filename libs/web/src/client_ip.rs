use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use crate::{ApiError, Platform};

/// The address of the client: that of the connection, or, if a configured proxy made the connection, the
/// rightmost hop of `X-Forwarded-For` that is not a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl FromRequest for ClientIp {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let platform = request.app_data::<web::Data<Platform>>();
        let ip = platform.and_then(|platform| platform.proxies.client_ip(request));
        ready(ip.map(Self).ok_or_else(|| ApiError::internal("a connection without an address")))
    }
}
