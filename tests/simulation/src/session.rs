//! The session of a simulated client, and what the client sends beside its subscriptions.

use uuid::Uuid;
use ws_gateway::simulated::Protocol;

use crate::client::{Client, Connection};
use crate::process::AUTH;

impl Client {
    /// The token of the client's session; logs in if it has none.
    pub(crate) async fn token(&self) -> Option<(Uuid, String)> {
        let known = self.state.borrow().session.clone();
        if known.is_some() {
            return known;
        }
        let auth = self.process(&AUTH)?;
        let opened = auth.log_in(&self.user).await.ok()?;
        self.note(|| format!("logged in, session {}", opened.0));
        self.state.borrow_mut().session = Some(opened.clone());
        Some(opened)
    }

    /// Floods the gateway, or renews the token, if the run asks for it.
    pub(crate) async fn send_extras(&self, connection: &Connection) {
        let (flood, renews) = {
            let mut state = self.state.borrow_mut();
            if !state.is_settled {
                return;
            }
            (std::mem::take(&mut state.flood), std::mem::take(&mut state.renews))
        };
        for _ in 0..flood {
            connection.wire.send(match self.kind.protocol {
                Protocol::SocketIo => format!(r#"42{}["nothing"]"#, self.kind.namespace),
                Protocol::Plain => r#"{"type":"ping"}"#.into(),
            });
        }
        let session = self.state.borrow().session.as_ref().map(|(session, _)| *session);
        let (true, Some(session), Some(auth)) = (renews, session, self.process(&AUTH)) else { return };
        let Ok(token) = auth.refresh(&self.user, session).await else { return };
        connection.wire.send(match self.kind.protocol {
            Protocol::SocketIo => {
                format!(r#"42{}["connection.reauth",{{"token":"{token}"}}]"#, self.kind.namespace)
            }
            Protocol::Plain => format!(r#"{{"type":"reauth","token":"{token}"}}"#),
        });
        if let Some(session) = &mut self.state.borrow_mut().session {
            session.1 = token;
        }
    }

    /// Whether the client's session has ended, according to the database.
    pub(crate) fn is_session_over(&self) -> bool {
        let session = self.state.borrow().session.as_ref().map(|(session, _)| *session);
        session.is_some_and(|session| self.around.database.ended(session).is_some())
    }
}
