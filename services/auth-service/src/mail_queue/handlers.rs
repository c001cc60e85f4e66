use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::Success;
use http::{ApiError, NoQuery};

use crate::mail_queue::dev_mailbox::DevMail;
use crate::state::State;

/// Lists the mails that a development process without SMTP keeps, newest first. Elsewhere 404.
#[utoipa::path(get, path = "/api/auth/dev/mail", tag = "auth", responses((status = 200, body = Success<Vec<DevMail>>), (status = 404)))]
pub async fn list_dev_mails(state: Data<State>, _: NoQuery) -> Result<HttpResponse, ApiError> {
    let mailbox = state.mailer.dev_mailbox();
    let mailbox = mailbox.ok_or_else(|| ApiError::not_found("there is no development mailbox"))?;
    Ok(http::ok(mailbox.mails()))
}
