use anyhow::{Context, Result, bail, ensure};
use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// The mail server that `SMTP_URL` names.
pub(crate) struct Relay {
    /// A name or an IP address, without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    None,
    StartTls,
    Tls,
}

impl Relay {
    /// Parses `smtp://` or `smtps://`. The errors never contain the URL, which has a password.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let url = Url::parse(url).context("is not a URL such as smtp://user:password@host:587")?;
        let name = url.host_str().filter(|name| !name.is_empty()).context("has no host")?;
        // The parser of URLs does not look for IP addresses in the host of this scheme.
        let host = Host::parse(name).ok().context("has a host that is neither a name nor an address")?;
        ensure!(matches!(url.path(), "" | "/") && url.fragment().is_none(), "must end after the port");
        let tls = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let security = match (url.scheme(), tls.join("&").as_str()) {
            ("smtps", "") => Security::Tls,
            ("smtp", "tls=required") => Security::StartTls,
            ("smtp", "tls=none") => Security::None,
            ("smtp", "") if is_loopback(&host) => Security::None,
            ("smtp", "") => Security::StartTls,
            ("smtp" | "smtps", _) => {
                bail!("has an unknown parameter: smtp:// has tls=required or tls=none, smtps:// has none")
            }
            _ => bail!("must begin with smtp:// or smtps://"),
        };
        Ok(Self {
            host: match host {
                Host::Domain(name) => name,
                Host::Ipv4(ip) => ip.to_string(),
                Host::Ipv6(ip) => ip.to_string(),
            },
            port: url.port().unwrap_or(if security == Security::Tls { 465 } else { 587 }),
            security,
            credentials: credentials(&url)?,
        })
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.security != Security::None
    }
}

pub(crate) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() => {
            let (user, password) = (decode(user), decode(password));
            let (Ok(user), Ok(password)) = (user, password) else { bail!("has a login that is not UTF-8") };
            Ok(Some(Credentials::new(user, password)))
        }
        _ => bail!("needs a user and a password, or neither"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_decides_about_tls_and_port() {
        for (url, expected) in [
            ("smtp://mail.example.com", ("mail.example.com", 587, Security::StartTls)),
            ("smtp://mail.example.com:25?tls=none", ("mail.example.com", 25, Security::None)),
            ("smtps://mail.example.com/", ("mail.example.com", 465, Security::Tls)),
            ("smtp://localhost:1025", ("localhost", 1025, Security::None)),
            ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, Security::None)),
            ("smtp://[::1]:1025", ("::1", 1025, Security::None)),
            ("smtp://127.0.0.1:1025?tls=required", ("127.0.0.1", 1025, Security::StartTls)),
            ("smtp://10.0.0.1", ("10.0.0.1", 587, Security::StartTls)),
        ] {
            let relay = Relay::parse(url).unwrap();
            assert_eq!((relay.host.as_str(), relay.port, relay.security), expected, "{url}");
            assert!(relay.credentials.is_none());
        }
    }

    #[test]
    fn a_login_is_decoded() {
        let credentials = Relay::parse("smtp://a%40b.c:p%3A%2Fq@h.example").unwrap().credentials;
        assert_eq!(credentials, Some(Credentials::new("a@b.c".to_owned(), "p:/q".to_owned())));
    }

    #[test]
    fn an_unusable_url_is_refused_without_its_password_s68() {
        for url in [
            "user:hush@mail.example.com",
            "http://user:hush@mail.example.com",
            "smtp://user:hush@mail.example.com?tls=opportunistic",
            "smtp://user:hush@mail.example.com?tls=none&tls=required",
            "smtps://user:hush@mail.example.com?tls=none",
            "smtp://user:hush@mail.example.com/ehlo",
            "smtp://user:hush@mail.example.com#x",
            "smtp://user:hush@:587",
            "smtp://:hush@mail.example.com",
            "smtp://hush@mail.example.com",
            "smtp://user:hush%ff@mail.example.com",
            "smtp://user:hush@mail.example.com:99999",
        ] {
            let error = Relay::parse(url).err().unwrap_or_else(|| panic!("{url} is accepted"));
            assert!(!format!("{error:#}{error:?}").contains("hush"), "{error:?}");
        }
    }
}
