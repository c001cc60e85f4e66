use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use http::NoQuery;
use http::openapi::Success;
use serde::Serialize;
use utoipa::ToSchema;

use crate::challenge::AbuseProtection;
use crate::state::State;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicConfig {
    session_timeout_minutes: u32,
    session_lifetime_hours: u32,
    max_sessions_per_user: u32,
    access_token_seconds: u64,
    refresh_token_seconds: i64,
    activity_interval_seconds: u32,
    /// Who may sign up.
    #[schema(pattern = "^(open|invite|domain|off)$")]
    signup: &'static str,
    /// The domains of the addresses that may sign up, if `signup` is `domain`.
    signup_domains: Vec<String>,
    /// Whether a sign-up creates the account only once a link in a mail is opened.
    verify_email: bool,
    /// `password`, `email` or both.
    login_methods: Vec<&'static str>,
    /// Whether this installation sends mails. Without them, a forgotten password is a matter for an admin.
    mail: bool,
    /// Whether sign-ups and requests for mails need a solved challenge of `GET /api/auth/challenge`.
    proof_of_work: bool,
    /// Whether mails go to `GET /api/auth/dev/mail`.
    dev_mail: bool,
}

/// Returns the settings that a client needs to keep a session alive, and the ways to get an account.
#[utoipa::path(get, path = "/api/auth/config", tag = "auth", responses((status = 200, body = Success<PublicConfig>)))]
pub async fn get_config(state: Data<State>, _: NoQuery) -> HttpResponse {
    let settings = &state.settings;
    let signup = settings.people.signup(state.platform.config());
    http::ok(PublicConfig {
        session_timeout_minutes: settings.session_timeout_minutes,
        session_lifetime_hours: settings.session_lifetime_hours,
        max_sessions_per_user: settings.max_sessions_per_user,
        access_token_seconds: state.platform.tokens().lifetime.as_secs(),
        refresh_token_seconds: settings.session_lifetime().num_seconds(),
        activity_interval_seconds: settings.activity_interval_seconds,
        signup: signup.name(),
        signup_domains: signup.domains().to_vec(),
        verify_email: settings.people.verifies_email(),
        login_methods: settings.people.login_methods.iter().map(|method| method.name()).collect(),
        mail: state.mailer.is_on(),
        proof_of_work: settings.abuse_protection == AbuseProtection::Pow,
        dev_mail: state.mailer.dev_mailbox().is_some(),
    })
}

/// Returns the public keys that verify access tokens (RFC 7517).
///
/// There are none if the service has only shared secrets. A new key is listed minutes before its first use, so that
/// the response may be cached.
#[utoipa::path(get, path = "/api/auth/.well-known/jwks.json", tag = "auth", responses((status = 200, body = Object)))]
pub async fn get_jwks(state: Data<State>, _: NoQuery) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(state.platform.tokens().keys.jwks())
}
