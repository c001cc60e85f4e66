use std::fmt;
use std::sync::Arc;

type IsAllowed = dyn Fn(&str, u16) -> bool + Send + Sync;

/// Decides which servers may be connected to without TLS. Sentinels and clusters name servers that `REDIS_URL` does not.
#[derive(Clone)]
pub struct ServerCheck(Arc<IsAllowed>);

impl ServerCheck {
    /// `is_allowed` gets a host and a port. It may block, to resolve the name of the host.
    pub fn new(is_allowed: impl Fn(&str, u16) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_allowed))
    }

    pub(crate) fn allows(&self, host: &str, port: u16) -> bool {
        (self.0)(host, port)
    }
}

impl Default for ServerCheck {
    /// Allows every server.
    fn default() -> Self {
        Self::new(|_, _| true)
    }
}

impl fmt::Debug for ServerCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCheck")
    }
}
