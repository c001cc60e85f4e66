use anyhow::{Context, Result, ensure};
use reqwest::Url;

const NOT_A_URL: &str = "--url must be a URL such as https://drift.example.com";

/// The address of a DriftSentry server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server(Url);

impl Server {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut url: Url = text.trim().parse().context(NOT_A_URL)?;
        ensure!(matches!(url.scheme(), "http" | "https"), NOT_A_URL);
        url.path_segments_mut().ok().context(NOT_A_URL)?.pop_if_empty().push("");
        Ok(Self(url))
    }

    /// Returns the URL of an endpoint.
    pub(crate) fn endpoint(&self, path: &[&str]) -> Result<Url> {
        let mut url = self.0.clone();
        url.path_segments_mut().ok().context(NOT_A_URL)?.pop_if_empty().extend(path);
        Ok(url)
    }

    /// Resolves a page that the server names, which may be relative to its address.
    pub(crate) fn page(&self, reference: &str) -> Result<Url> {
        let page = self.0.join(reference).context("the server names a page that is no URL")?;
        ensure!(matches!(page.scheme(), "http" | "https"), "the server names a page that is no web page");
        Ok(page)
    }

    /// Returns the address without credentials and without a slash at its end.
    pub(crate) fn name(&self) -> String {
        format!("{}{}", self.0.origin().ascii_serialization(), self.0.path().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_name_and_its_endpoints_and_pages() {
        for text in [
            "https://d.example.com/base",
            "HTTPS://D.example.com:443/base/",
            " https://u:p@d.example.com/base ",
        ] {
            assert_eq!(Server::parse(text).unwrap().name(), "https://d.example.com/base", "{text}");
        }
        let server = Server::parse("http://localhost:3001").unwrap();
        assert_eq!(server.name(), "http://localhost:3001");
        assert_eq!(server.endpoint(&["api", "x"]).unwrap().as_str(), "http://localhost:3001/api/x");
        assert_eq!(
            server.page("/#/device?code=B").unwrap().as_str(),
            "http://localhost:3001/#/device?code=B"
        );
        assert_eq!(
            server.page("https://d.example.com/#/device").unwrap().as_str(),
            "https://d.example.com/#/device"
        );
        for page in ["file:///etc/passwd", "javascript:alert(1)"] {
            assert!(server.page(page).is_err(), "{page}");
        }
        for text in ["ftp://d.example.com", "d.example.com", "mailto:a@b.c", ""] {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }
}
