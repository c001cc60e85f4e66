use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Success;
use http::{ApiError, ClientIp, NoQuery};

use crate::mail_queue::dev_mailbox::DevMail;
use crate::state::State;

/// Lists the mails that a development process without SMTP keeps, newest first. Elsewhere 404.
#[utoipa::path(get, path = "/api/auth/dev/mail", tag = "auth", responses((status = 200, body = Success<Vec<DevMail>>), (status = 404)))]
pub async fn list_dev_mails(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    // Neither another machine, nor a page of another name that leads to this machine, may read the links.
    let host = request.connection_info().host().to_owned();
    let mailbox = state.mailer.dev_mailbox().filter(|_| ip.is_loopback() && is_loopback(&host));
    let mailbox = mailbox.ok_or_else(|| {
        ApiError::not_found("there is no development mailbox, or this page is not at localhost")
    })?;
    Ok(http::ok(mailbox.mails()))
}

/// Whether a `Host` names this machine.
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
