use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Done;
use http::{ApiError, ClientIp, ErrorCode};

use crate::audit::action::Initiator;
use crate::state::State;
use crate::token::delivery::{BodyToken, RefreshRequest, forget_cookie};
use crate::token::handlers::end_named_sessions;

/// Ends the session of a token. An unknown token has no session, so that nothing remains to do.
#[utoipa::path(post, path = "/api/v1/auth/logout", operation_id = "log_out", tag = "auth", request_body = RefreshRequest, security((), ("bearer" = []), ("refreshCookie" = [])), responses((status = 200, body = Done), (status = 403)))]
pub(super) async fn log_out(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    BodyToken(in_body): BodyToken,
) -> Result<HttpResponse, ApiError> {
    let outcome = end_named_sessions(&state, &request, in_body, Initiator::user_at(ip)).await;
    let outcome = match outcome {
        Err(error) if error.code == ErrorCode::AuthError => Ok(()),
        outcome => outcome,
    };
    state.metrics.operation("logout", outcome)?;
    forget_cookie(&state, http::ok(()))
}
