use std::net::IpAddr;

use url::{Host, Url};

use super::addresses::{Reach, is_own, reach};

const MAX_BYTES: usize = 2_048;

/// Decides which URLs and addresses may be reached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guard {
    /// Whether private networks and this machine may be reached. Metadata services of clouds never are.
    pub allows_private: bool,
    pub allows_plain_http: bool,
}

/// The reason why a URL is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefusal {
    #[error("The URL must have at most 2,048 bytes.")]
    TooLong,
    #[error("The URL must be one such as https://example.com/hook.")]
    Malformed,
    #[error("The URL must begin with https://.")]
    Scheme,
    #[error("The URL must not contain a user name or a password; put a secret into the path instead.")]
    Login,
    #[error("The URL must not contain a fragment; remove the # and the text after it.")]
    Fragment,
    #[error(
        "The URL must name a public host; this address belongs to a private network, this machine or a cloud."
    )]
    Address,
}

/// Checks a URL that a person entered. The addresses of a host name are checked when a request is sent.
///
/// # Errors
/// If the URL is malformed, or may not be reached.
pub fn check_url(text: &str, guard: Guard) -> Result<Url, UrlRefusal> {
    if text.len() > MAX_BYTES {
        return Err(UrlRefusal::TooLong);
    }
    // The parser would silently remove some of them.
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(UrlRefusal::Malformed);
    }
    let url = Url::parse(text).map_err(|_error| UrlRefusal::Malformed)?;
    guard.check(&url)?;
    Ok(url)
}

impl Guard {
    /// Checks a URL, except for the addresses of a host name.
    pub(super) fn check(self, url: &Url) -> Result<(), UrlRefusal> {
        match url.scheme() {
            "https" => {}
            "http" if self.allows_plain_http || self.allows_private => {}
            _ => return Err(UrlRefusal::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefusal::Login);
        }
        if url.fragment().is_some() {
            return Err(UrlRefusal::Fragment);
        }
        let is_allowed = match url.host().ok_or(UrlRefusal::Malformed)? {
            Host::Ipv4(ip) => self.allows(ip.into()),
            Host::Ipv6(ip) => self.allows(ip.into()),
            Host::Domain(name) => self.allows_private || !is_localhost(name),
        };
        if is_allowed { Ok(()) } else { Err(UrlRefusal::Address) }
    }

    /// Whether a request may be sent to this address.
    pub(super) fn allows(self, ip: IpAddr) -> bool {
        match reach(ip) {
            Reach::Never => false,
            Reach::Private => self.allows_private,
            Reach::Public => self.allows_private || !is_own(ip),
        }
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OPEN: Guard = Guard { allows_private: true, allows_plain_http: true };
    const DEVELOPMENT: Guard = Guard { allows_private: false, allows_plain_http: true };

    #[rstest]
    #[case("https://example.com/hook?a=b")]
    #[case("https://example.com:8443")]
    #[case("https://EXAMPLE.com./")]
    #[case("https://1.1.1.1/")]
    #[case("https://[2606:4700::1111]/")]
    #[case("https://bücher.example/")]
    #[case("https://localhost.example.com/")]
    fn public_urls_are_accepted(#[case] text: &str) {
        assert!(check_url(text, Guard::default()).is_ok());
    }

    #[rstest]
    #[case("")]
    #[case("example.com")]
    #[case("https://")]
    #[case("https://exa mple.com")]
    #[case("https://example.com/\n")]
    #[case(" https://example.com")]
    #[case("https://127.0.0.256/")]
    #[case("https://[::1%25lo]/")]
    fn malformed_urls_are_refused(#[case] text: &str) {
        assert_eq!(check_url(text, OPEN), Err(UrlRefusal::Malformed));
    }

    #[rstest]
    #[case("http://example.com/", UrlRefusal::Scheme)]
    #[case("ftp://example.com/", UrlRefusal::Scheme)]
    #[case("file:///etc/passwd", UrlRefusal::Scheme)]
    #[case("gopher://127.0.0.1:6379/", UrlRefusal::Scheme)]
    #[case("data:text/plain,hello", UrlRefusal::Scheme)]
    #[case("unix:/run/docker.sock", UrlRefusal::Scheme)]
    #[case("https://user@example.com/", UrlRefusal::Login)]
    #[case("https://:password@example.com/", UrlRefusal::Login)]
    #[case("https://example.com@127.0.0.1/", UrlRefusal::Login)]
    #[case("https://example.com/#part", UrlRefusal::Fragment)]
    #[case("https://example.com#@127.0.0.1/", UrlRefusal::Fragment)]
    fn urls_say_only_where_to_send(#[case] text: &str, #[case] refusal: UrlRefusal) {
        assert_eq!(check_url(text, Guard::default()), Err(refusal));
    }

    #[test]
    fn long_urls_are_refused() {
        let longest = format!("https://example.com/{}", "a".repeat(MAX_BYTES - 20));
        assert!(check_url(&longest, Guard::default()).is_ok());
        assert_eq!(check_url(&format!("{longest}a"), Guard::default()), Err(UrlRefusal::TooLong));
    }

    #[rstest]
    #[case("http://127.0.0.1:8080/")]
    #[case("http://2130706433/")]
    #[case("http://0177.0.0.1/")]
    #[case("http://0x7f.0.0.1/")]
    #[case("http://0x7f000001/")]
    #[case("http://127.1/")]
    #[case("http://127.0.0.1./")]
    #[case("http://1②7.0.0.①/")]
    #[case("http://127。0。0。1/")]
    #[case("http://%31%32%37.0.0.1/")]
    #[case("http://[::1]/")]
    #[case("http://[::ffff:127.0.0.1]/")]
    #[case("http://[::ffff:7f00:1]/")]
    #[case("http://[::127.0.0.1]/")]
    #[case("http://[64:ff9b::10.0.0.1]/")]
    #[case("http://192.168.0.1:65535/")]
    #[case("http://localhost/")]
    #[case("http://LOCALHOST./")]
    #[case("http://api.localhost/")]
    #[case("http:\\\\127.0.0.1\\")]
    fn private_addresses_are_refused_unless_allowed(#[case] text: &str) {
        assert_eq!(check_url(text, DEVELOPMENT), Err(UrlRefusal::Address));
        assert!(check_url(text, OPEN).is_ok());
    }

    #[rstest]
    #[case("http://0.0.0.0/")]
    #[case("http://0/")]
    #[case("http://[::]/")]
    #[case("http://169.254.169.254/latest/meta-data/")]
    #[case("http://2852039166/")]
    #[case("http://0xa9.0xfe.0xa9.0xfe/")]
    #[case("http://[::ffff:169.254.169.254]/")]
    #[case("http://[64:ff9b::a9fe:a9fe]/")]
    #[case("http://[fd00:ec2::254]/")]
    #[case("http://[fe80::1]/")]
    #[case("http://[ff02::1]/")]
    #[case("http://255.255.255.255/")]
    #[case("http://224.0.0.1/")]
    fn metadata_and_groups_are_refused_always(#[case] text: &str) {
        assert_eq!(check_url(text, DEVELOPMENT), Err(UrlRefusal::Address));
        assert_eq!(check_url(text, OPEN), Err(UrlRefusal::Address));
    }
}
