use actix_web::http::header::{self, HeaderMap};
use url::Url;

/// Returns whether a page of the request's origin may make this request: the origin is one of
/// `listed` (`CORS_ORIGIN`), or the page came from this very server under a loopback name. A request without an origin
/// does not come from a page of another site.
///
/// The `Host` header counts for loopback names only: any other name may be one that an attacker has pointed
/// at this server (DNS rebinding).
pub(crate) fn origin_is_allowed(headers: &HeaderMap, listed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(normalize) else { return false };
    if listed.contains(&origin) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| is_loopback(authority) && Some(authority) == host)
}

/// Returns the form in which origins are compared: lower case, without the default port. `None` if the text
/// is not `scheme://host[:port]`. The scheme may be an app's: `capacitor://localhost`, `app://.`.
pub(crate) fn normalize(origin: &str) -> Option<String> {
    let lower = origin.to_ascii_lowercase();
    let (scheme, authority) = lower.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_authority = !authority.is_empty()
        && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte));
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "\0",
    };
    let is_web = matches!(scheme, "http" | "https");
    let is_valid = is_scheme && is_authority && (!is_web || Url::parse(&lower).is_ok());
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    is_valid.then(|| format!("{scheme}://{authority}"))
}

fn is_loopback(authority: &str) -> bool {
    let without_port =
        authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let host = without_port.map_or(authority, |(host, _)| host);
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use clap::Parser;

    use super::*;
    use platform::ProcessConfig;

    use crate::HttpConfig;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        http: HttpConfig,
        #[command(flatten)]
        process: ProcessConfig,
    }

    #[test]
    fn only_listed_and_own_origins_are_allowed_s49() {
        let Cli { http: mut config, process } =
            Cli::parse_from(["x", "--cors-origin", "https://App.example.com,app://."]);
        config.resolve(&process).unwrap();
        let allowed = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            origin_is_allowed(&headers, &config.cors_origin)
        };
        let here = "drift.example.com:8080";
        assert!(allowed(here, None));
        for listed in
            ["https://app.example.com", "https://app.example.com:443", "HTTPS://APP.example.com", "app://."]
        {
            assert!(allowed(here, Some(listed)), "{listed}");
        }
        for foreign in ["https://app.example.com.evil.test", "https://evil.test", "null", "", "https://"] {
            assert!(!allowed(here, Some(foreign)), "{foreign}");
        }
        for (host, own) in [
            ("localhost:3001", "http://localhost:3001"),
            ("127.0.0.1:3001", "http://127.0.0.1:3001"),
            ("[::1]:3001", "http://[::1]:3001"),
        ] {
            assert!(allowed(host, Some(own)), "{own}");
            assert!(!allowed("localhost:9999", Some(own)), "{own} on another port");
        }
    }

    #[test]
    fn a_host_equal_to_the_origin_does_not_make_it_our_own_s73() {
        let config = Cli::parse_from(["x"]).http;
        for (host, origin) in [
            ("evil.test", "http://evil.test"),
            ("drift.example.com:8080", "http://drift.example.com:8080"),
            ("localhost.evil.test:3001", "http://localhost.evil.test:3001"),
            ("127.0.0.1.evil.test", "http://127.0.0.1.evil.test"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            assert!(!origin_is_allowed(&headers, &config.cors_origin), "{origin}");
        }
    }
}
