//! The cookie of a trusted device: a signed id. It only spares a second factor, after the password.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use platform::ProcessConfig;
use uuid::Uuid;

use crate::link::token::SignedFor;
use crate::state::State;
use crate::token::delivery::cookies_named;

/// Returns the devices that a request claims to come from, each with a genuine signature.
pub fn devices_of(request: &HttpRequest, state: &State) -> Vec<Uuid> {
    if state.settings.factors.trusted_device_days == 0 {
        return Vec::new();
    }
    let cookies = cookies_named(request.headers(), cookie_name(state.platform.config()));
    let read = |token: &String| state.links.read_signed(SignedFor::TrustedDevice, token).ok();
    cookies.iter().filter_map(read).collect()
}

/// The cookie of a device, until its trust expires.
pub fn cookie(state: &State, id: Uuid) -> Cookie<'static> {
    let process = state.platform.config();
    let days = state.settings.factors.trusted_device_days;
    Cookie::build(cookie_name(process), state.links.sign(SignedFor::TrustedDevice, id))
        .path("/api")
        .http_only(true)
        .secure(process.is_strict())
        .same_site(SameSite::Strict)
        .max_age(Duration::days(days.into()))
        .finish()
}

fn cookie_name(process: &ProcessConfig) -> &'static str {
    if process.is_strict() { "__Secure-trusted_device" } else { "trusted_device" }
}
