use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Clock;
use reqwest::StatusCode;
use serde_json::json;

use super::api::{Api, Failure, Tokens};
use super::store::{Entry, Locked, Logins, Store};
use crate::client::Server;

/// A token that expires within this time is refreshed first, so that the request with it does not come too late.
const MARGIN: TimeDelta = TimeDelta::seconds(30);

/// The login of the user to a server.
pub(crate) struct StoredLogin {
    store: Store,
    server: Server,
}

impl StoredLogin {
    /// Returns the stored login to a server.
    ///
    /// # Errors
    /// If there is none. The message says what to do.
    pub(crate) fn of(server: Server) -> Result<Self> {
        let store = Store::of_user().with_context(|| nobody(&server))?;
        if store.read()?.contains_key(&server.name()) {
            Ok(Self { store, server })
        } else {
            Err(nobody(&server))
        }
    }

    /// Returns an access token that is valid now. Refreshes an expired one in one process at a time: a second refresh
    /// with the same token would look like theft.
    pub(crate) async fn access_token(&self) -> Result<String> {
        if let Some(token) = self.valid(&self.store.read()?) {
            return Ok(token);
        }
        let locked = self.store.lock().await?;
        let logins = self.store.read()?;
        // Another process was first.
        if let Some(token) = self.valid(&logins) {
            return Ok(token);
        }
        self.refresh(&locked, logins).await
    }

    async fn refresh(&self, locked: &Locked<'_>, mut logins: Logins) -> Result<String> {
        let name = self.server.name();
        let Entry { email, refresh_token, .. } = logins.remove(&name).ok_or_else(|| nobody(&self.server))?;
        let body = json!({"refreshToken": refresh_token});
        match Api::new(&self.server)?.post(&["refresh"], &body).await {
            Ok(data) => {
                let tokens: Tokens = serde_json::from_value(data).context("cannot read the response")?;
                let entry = Entry::new(email, tokens, now());
                let token = entry.access_token.clone();
                logins.insert(name, entry);
                locked.write(&logins)?;
                Ok(token)
            }
            Err(Failure::Refused { status: StatusCode::UNAUTHORIZED, .. }) => {
                locked.write(&logins)?;
                Err(anyhow!("the login to {name} has ended; run: driftsentry login"))
            }
            Err(failure) => Err(anyhow::Error::from(failure).context("cannot refresh the login")),
        }
    }

    fn valid(&self, logins: &Logins) -> Option<String> {
        let entry = logins.get(&self.server.name())?;
        (entry.access_expires_at - now() > MARGIN).then(|| entry.access_token.clone())
    }
}

fn nobody(server: &Server) -> anyhow::Error {
    let name = server.name();
    anyhow!(
        "there is no login to {name}; run: driftsentry login, or set DRIFTSENTRY_TOKEN to a service token"
    )
}

fn now() -> DateTime<Utc> {
    Clock::system().now()
}
