use anyhow::{Context, Result};
use reqwest::header::HeaderValue;

use super::bearer::bearer;
use crate::login::StoredLogin;

/// The access that the requests to a server use.
pub(crate) enum Credential {
    /// The token in the environment.
    Given(String),
    /// The login of `driftsentry login`, whose token is refreshed when it has expired.
    Stored(StoredLogin),
}

impl Credential {
    /// Returns the value of the header `Authorization` for a request now.
    pub(super) async fn authorization(&self) -> Result<HeaderValue> {
        let header = match self {
            Self::Given(token) => {
                bearer(token).context("DRIFTSENTRY_TOKEN contains a character that no token contains")?
            }
            Self::Stored(login) => bearer(&login.access_token().await?)?,
        };
        Ok(header)
    }

    /// Returns what to do if the server refuses the token.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Given(_) => "",
            Self::Stored(_) => "; run: driftsentry login",
        }
    }
}
