use std::error::Error;
use std::io;
use std::iter::successors;

use super::guard::UrlRefusal;
use super::resolver::RefusedAddress;

/// No response arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cause in one word, for logs, lists and metrics: `refused_url`, `refused_address`, `timeout`, `dns`, `tls`,
    /// `connect`, `reset` (the connection was lost) or `protocol` (the response is not HTTP, or ended too early).
    pub kind: &'static str,
}

impl Failure {
    pub(super) const TIMEOUT: Self = Self { kind: "timeout" };
}

impl From<UrlRefusal> for Failure {
    fn from(refusal: UrlRefusal) -> Self {
        let is_address = refusal == UrlRefusal::Address;
        Self { kind: if is_address { "refused_address" } else { "refused_url" } }
    }
}

impl From<reqwest::Error> for Failure {
    /// Keeps only the kind: the text of the error can contain the URL, which can contain a secret.
    fn from(error: reqwest::Error) -> Self {
        let has = |is_cause: fn(&(dyn Error + 'static)) -> bool| {
            successors(Some(&error as &(dyn Error + 'static)), |error| cause(*error)).any(is_cause)
        };
        let kind = if has(|cause| cause.is::<RefusedAddress>()) {
            "refused_address"
        } else if has(|cause| cause.is::<rustls::Error>()) {
            "tls"
        } else if error.is_timeout() {
            return Self::TIMEOUT;
        } else if error.is_dns() {
            "dns"
        } else if error.is_connect() {
            "connect"
        } else if has(|cause| cause.is::<io::Error>()) {
            "reset"
        } else {
            "protocol"
        };
        Self { kind }
    }
}

/// Returns the cause of an error. `source()` of an I/O error skips the error in it.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
