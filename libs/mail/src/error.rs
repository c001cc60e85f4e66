use std::error::Error as StdError;

use lettre::transport::smtp::Error as SmtpError;

/// A mail that was not delivered to the mail server. Contains no address and no text of the mail, nor of the server,
/// whose responses repeat addresses.
#[derive(Debug, thiserror::Error)]
#[error("mail was not sent: {kind}{}", code.map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct SendError {
    /// Whether the same mail can never be sent. Otherwise a retry can succeed, perhaps after a change of the settings.
    pub is_permanent: bool,
    /// `refused`, `deferred`, `timeout`, `connection`, `tls`, `address` or `authentication`.
    pub kind: &'static str,
    /// The reply code of the server.
    pub code: Option<u16>,
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The part of the delivery that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Connect,
    StartTls,
    Login,
    Mail,
}

impl SendError {
    pub(crate) fn timeout() -> Self {
        Self { is_permanent: false, kind: "timeout", code: None, source: None }
    }

    pub(crate) fn address(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { is_permanent: true, kind: "address", code: None, source: Some(source.into()) }
    }

    pub(crate) fn from_smtp(phase: Phase, error: SmtpError) -> Self {
        let code = error.status().map(u16::from);
        let kind = match (phase, code) {
            // The server wants a login, or another one.
            (_, Some(530 | 534 | 535 | 538)) => "authentication",
            (Phase::Login, _) if code.is_some() || error.is_client() => "authentication",
            (_, Some(500..)) => "refused",
            (_, Some(_)) => "deferred",
            (_, None) if error.is_timeout() => "timeout",
            (Phase::StartTls, None) if error.is_client() => "tls",
            (_, None) if is_tls(&error) => "tls",
            (Phase::Mail, None) if error.is_client() => "address",
            (_, None) => "connection",
        };
        let is_permanent = phase == Phase::Mail && matches!(kind, "refused" | "address");
        // The text of a response is left out.
        let source = code.is_none().then(|| error.into());
        Self { is_permanent, kind, code, source }
    }
}

fn is_tls(error: &SmtpError) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if cause.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        source = cause.source();
    }
    error.is_tls()
}
