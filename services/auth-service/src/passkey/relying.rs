use url::{Host, Url};
use webauthn_rp::request::{AsciiDomain, DomainOrigin, Port, RpId, Scheme};

use crate::error::AuthError;
use crate::state::State;

const LOCALHOST: &str = "localhost";

/// The relying party: the site that passkeys belong to. Browsers offer a passkey only to pages of its domain.
#[derive(Clone, Debug)]
pub struct Relying {
    pub id: RpId,
    scheme: &'static str,
    port: Port,
}

impl Relying {
    /// Returns the site that `PUBLIC_URL` names.
    ///
    /// # Errors
    /// [`AuthError::PasskeysOff`] if passkeys cannot work there.
    pub fn of(state: &State) -> Result<Self, AuthError> {
        let is_strict = state.platform.config().is_strict();
        Self::at(state.settings.people.mail.public_url.as_deref(), is_strict).ok_or(AuthError::PasskeysOff)
    }

    /// Returns the site at `public_url`. Without a URL there is one in development only: pages of this computer, on any
    /// port. Browsers have passkeys for the name of a host, not for an address, and only with HTTPS or on `localhost`.
    fn at(public_url: Option<&str>, is_strict: bool) -> Option<Self> {
        let (host, scheme, port) = match public_url {
            None if is_strict => return None,
            None => (LOCALHOST.to_owned(), "http", Port::Any),
            Some(url) => {
                let url = Url::parse(url).ok()?;
                let Some(Host::Domain(host)) = url.host() else { return None };
                let is_local = host == LOCALHOST || host.ends_with(".localhost");
                let scheme = match url.scheme() {
                    "https" => "https",
                    "http" if is_local => "http",
                    _ => return None,
                };
                (host.to_owned(), scheme, url.port().map_or(Port::None, Port::Val))
            }
        };
        Some(Self { id: RpId::Domain(AsciiDomain::try_from(host).ok()?), scheme, port })
    }

    /// The stored form of the id.
    pub fn name(&self) -> &str {
        self.id.as_ref()
    }

    /// The only origin whose pages may use the passkeys.
    pub fn origin(&self) -> DomainOrigin<'_, '_> {
        DomainOrigin { scheme: Scheme::Other(self.scheme), host: self.name(), port: self.port }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use webauthn_rp::response::Origin;

    use super::*;

    fn accepts(public_url: Option<&str>, is_strict: bool, origin: &str) -> bool {
        let relying = Relying::at(public_url, is_strict).unwrap();
        relying.origin() == Origin(Cow::Borrowed(origin))
    }

    #[test]
    fn the_site_is_the_host_of_the_public_url() {
        let relying = Relying::at(Some("https://drift.example.com/console"), true).unwrap();
        assert_eq!(relying.name(), "drift.example.com");
        assert_eq!(Relying::at(None, false).unwrap().name(), "localhost");
    }

    #[test]
    fn addresses_and_plaintext_have_no_passkeys() {
        for url in ["https://192.0.2.1", "https://[2001:db8::1]", "http://127.0.0.1:3000", "http://drift.lan"]
        {
            assert!(Relying::at(Some(url), false).is_none(), "{url}");
        }
        assert!(Relying::at(None, true).is_none());
    }

    #[test]
    fn only_the_own_origin_is_accepted() {
        let url = Some("https://drift.example.com:8443");
        assert!(accepts(url, true, "https://drift.example.com:8443"));
        for foreign in [
            "https://drift.example.com",
            "http://drift.example.com:8443",
            "https://evil.drift.example.com:8443",
            "https://example.com:8443",
            "android:apk-key-hash:abc",
        ] {
            assert!(!accepts(url, true, foreign), "{foreign}");
        }
        assert!(accepts(Some("https://drift.example.com"), true, "https://drift.example.com"));
        assert!(accepts(None, false, "http://localhost:3000"));
        assert!(!accepts(None, false, "http://localhost.example.com:3000"));
    }
}
