//! The OpenAPI document, generated from the annotations of the handlers.

use http::openapi::{Conventions, Failure};
use utoipa::openapi::OpenApi as Specification;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::audit::handlers as audit;
use crate::invitation::handlers as invitations;
use crate::link::handlers as links;
use crate::login::handlers as login;
use crate::mail_queue::handlers as mails;
use crate::proof_of_work;
use crate::public_config as settings;
use crate::service_token::handlers as service_tokens;
use crate::service_token::personal as personal_tokens;
use crate::session::handlers as sessions;
use crate::token::handlers as tokens;
use crate::user::{account, directory, handlers as users, mail_handlers, me};

#[derive(OpenApi)]
#[openapi(
    info(title = "auth-service", description = "Users, sessions and tokens. Also under /api/v1/auth."),
    paths(
        settings::get_config,
        settings::get_jwks,
        proof_of_work::get_challenge,
        account::sign_up,
        login::log_in,
        login::request_login_mail,
        login::log_in_by_mail,
        mail_handlers::complete_sign_up,
        mail_handlers::forgot_password,
        mail_handlers::send_password_reset,
        mail_handlers::reset_password,
        mail_handlers::request_verification,
        mail_handlers::verify_email,
        mail_handlers::change_email,
        mail_handlers::confirm_email,
        mail_handlers::undo_email,
        invitations::create_invitation,
        invitations::list_invitations,
        invitations::resend_invitation,
        invitations::revoke_invitation,
        invitations::accept_invitation,
        links::show_link,
        links::get_link_status,
        mails::list_dev_mails,
        tokens::refresh,
        tokens::log_out,
        me::get_me,
        me::update_me,
        me::delete_me,
        me::export_me,
        account::change_password,
        sessions::get_session,
        sessions::list_sessions,
        sessions::note_activity,
        sessions::end_session,
        sessions::end_other_sessions,
        directory::list_names,
        users::list_users,
        users::create_user,
        users::get_user,
        users::update_user,
        users::delete_user,
        users::list_user_sessions,
        users::end_user_sessions,
        users::lift_user_locks,
        audit::list_audit,
        service_tokens::create_service_token,
        service_tokens::list_service_tokens,
        service_tokens::end_service_token,
        personal_tokens::create_personal_token,
        personal_tokens::list_personal_tokens,
        personal_tokens::end_personal_token,
    ),
    components(schemas(Failure, crate::audit::action::Action)),
    modifiers(&RefreshCookie, &Conventions)
)]
struct Document;

/// Describes the cookie of refresh tokens.
pub(crate) struct RefreshCookie;

impl Modify for RefreshCookie {
    fn modify(&self, document: &mut Specification) {
        let about = "A refresh token. In development, the cookie is named `refresh_token`. It requires JSON and an allowed `Origin`.";
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description("__Secure-refresh_token", about));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("refreshCookie", SecurityScheme::ApiKey(cookie));
    }
}

/// Every path of this service with its requests and responses.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
