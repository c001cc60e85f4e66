use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};

use crate::HttpConfig;

/// Whether a browser's page may make this request: its origin is listed or is our own. Requests that
/// name no origin come from no page of another site, or from no browser.
pub fn origin_is_allowed(headers: &HeaderMap, config: &HttpConfig) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if config.cors_origin.iter().any(|allowed| allowed == origin) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
    authority.is_some() && authority.as_deref() == host
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        http: HttpConfig,
    }

    #[test]
    fn s49_only_listed_and_own_origins_pass() {
        let config = Cli::parse_from(["x", "--cors-origin", "https://app.example.com"]).http;
        let allowed = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("drift.example.com:8080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            origin_is_allowed(&headers, &config)
        };
        assert!(allowed(None));
        assert!(allowed(Some("https://app.example.com")));
        assert!(allowed(Some("http://drift.example.com:8080")));
        assert!(!allowed(Some("https://app.example.com.evil.test")));
        assert!(!allowed(Some("https://evil.test")));
        assert!(!allowed(Some("null")));
        assert!(!allowed(Some("")));
    }
}
