use ::http::{BodyLimit, endpoint};
use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};

use crate::caller::identify;
use crate::refusals::hold_back;
use crate::state::State;
use crate::user::mail_handlers;
use crate::{
    audit, compat, invitation, link, login, mail_queue, proof_of_work, public_config, service_token, session,
    token, user,
};

const MAX_BODY_BYTES: usize = 16 * 1024;

/// The routes that Caddy exposes.
pub fn routes(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let has_old_contract = state.platform.config().compat_routes;
    move |config| {
        config.app_data(Data::new(state.clone()));
        for prefix in ["/api/auth", "/api/v1/auth"] {
            config.service(scope(prefix, has_old_contract));
        }
        if has_old_contract {
            config.service(compat::account_routes());
        }
    }
}

/// Like [`routes`], and also without a prefix, for a service that runs alone on its port.
pub fn routes_alone(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let has_old_contract = state.platform.config().compat_routes;
    let prefixed = routes(state);
    move |config| {
        prefixed(config);
        config.service(scope("", has_old_contract));
    }
}

/// Returns all routes of this service under `prefix`, which may be empty.
fn scope(prefix: &str, has_old_contract: bool) -> impl HttpServiceFactory + use<> {
    web::scope(prefix)
        .app_data(BodyLimit(MAX_BODY_BYTES))
        .wrap(from_fn(hold_back))
        .configure(|config| {
            if has_old_contract {
                compat::session_routes(config);
            }
        })
        .service(endpoint("/config").get(public_config::get_config))
        .service(endpoint("/.well-known/jwks.json").get(public_config::get_jwks))
        .service(endpoint("/challenge").get(proof_of_work::get_challenge))
        .service(endpoint("/signup").post(user::account::sign_up))
        .service(endpoint("/login").post(login::handlers::log_in))
        .service(endpoint("/signup/complete").post(mail_handlers::complete_sign_up))
        .service(endpoint("/login/email").post(login::handlers::request_login_mail))
        .service(endpoint("/login/email/complete").post(login::handlers::log_in_by_mail))
        .service(endpoint("/password/forgot").post(mail_handlers::forgot_password))
        .service(endpoint("/password/reset").post(mail_handlers::reset_password))
        .service(endpoint("/email/verify").post(mail_handlers::verify_email))
        .service(endpoint("/email/confirm").post(mail_handlers::confirm_email))
        .service(endpoint("/email/undo").post(mail_handlers::undo_email))
        .service(endpoint("/invitations/accept").post(invitation::handlers::accept_invitation))
        .service(endpoint("/links/show").post(link::handlers::show_link))
        .service(endpoint("/links/status").post(link::handlers::get_link_status))
        .service(endpoint("/dev/mail").get(mail_queue::handlers::list_dev_mails))
        .service(endpoint("/refresh").post(token::handlers::refresh))
        .service(endpoint("/logout").post(token::handlers::log_out))
        // Matches every other path, so it comes last.
        .service(for_known_callers())
}

fn for_known_callers() -> impl HttpServiceFactory {
    web::scope("")
        .wrap(from_fn(identify))
        .service(endpoint("/me").get(user::me::get_me).patch(user::me::update_me).delete(user::me::delete_me))
        .service(endpoint("/me/export").get(user::me::export_me))
        .service(endpoint("/password").post(user::account::change_password))
        .service(endpoint("/email").post(mail_handlers::change_email))
        .service(endpoint("/email/verification").post(mail_handlers::request_verification))
        .service(
            endpoint("/invitations")
                .get(invitation::handlers::list_invitations)
                .post(invitation::handlers::create_invitation),
        )
        .service(endpoint("/invitations/{id}").delete(invitation::handlers::revoke_invitation))
        .service(endpoint("/invitations/{id}/resend").post(invitation::handlers::resend_invitation))
        .service(endpoint("/session").get(session::handlers::get_session))
        .service(endpoint("/sessions").get(session::handlers::list_sessions))
        .service(endpoint("/sessions/all").delete(session::handlers::end_other_sessions))
        .service(endpoint("/sessions/{id}").delete(session::handlers::end_session))
        .service(endpoint("/activity").post(session::handlers::note_activity))
        .service(endpoint("/users").get(user::handlers::list_users).post(user::handlers::create_user))
        .service(endpoint("/users/directory").get(user::directory::list_names))
        .service(
            endpoint("/users/{id}")
                .get(user::handlers::get_user)
                .patch(user::handlers::update_user)
                .delete(user::handlers::delete_user),
        )
        .service(
            endpoint("/users/{id}/sessions")
                .get(user::handlers::list_user_sessions)
                .delete(user::handlers::end_user_sessions),
        )
        .service(endpoint("/users/{id}/password-reset").post(mail_handlers::send_password_reset))
        .service(endpoint("/users/{id}/locks").delete(user::handlers::lift_user_locks))
        .service(endpoint("/audit").get(audit::handlers::list_audit))
        .service(
            endpoint("/tokens")
                .get(service_token::handlers::list_service_tokens)
                .post(service_token::handlers::create_service_token),
        )
        .service(
            endpoint("/personal-tokens")
                .get(service_token::personal::list_personal_tokens)
                .post(service_token::personal::create_personal_token),
        )
        .service(endpoint("/personal-tokens/{id}").delete(service_token::personal::end_personal_token))
        .service(endpoint("/tokens/{id}").delete(service_token::handlers::end_service_token))
}
