//! The checks of what people enter.

use http::ApiError;
use validator::ValidationError;

use super::target::Kind;
use crate::error::NotifyError;
use crate::message::Template;
use crate::send::WebhookSecret;

/// Refuses texts with characters of control, such as line breaks.
pub(super) fn plain(text: &str) -> Result<(), ValidationError> {
    if text.chars().any(char::is_control) {
        return Err(ValidationError::new("plain").with_message("must be one line".into()));
    }
    Ok(())
}

pub(super) fn new_secret() -> Result<WebhookSecret, NotifyError> {
    WebhookSecret::generate().map_err(|_error| NotifyError::NoRandom)
}

/// Refuses a template that is none, or that its kind of destination does not use.
pub(super) fn check_template(template: Option<&str>, kind: Kind) -> Result<(), ApiError> {
    let Some(source) = template else { return Ok(()) };
    if matches!(kind, Kind::Webhook | Kind::Pagerduty) {
        return Err(ApiError::validation("template", "is for Slack, Teams and mails"));
    }
    Template::parse(source).map(drop).map_err(|error| ApiError::validation("template", error.to_string()))
}
