//! The messages of `/ws`.

use tokio::time::Instant;

use super::closing::Carrier;
use super::effects::{Candidate, Credentials, Effects, admit};
use super::life::Life;
use super::requests;
use crate::protocol::plain::{Command, PlainRequest};
use crate::protocol::{Ending, NamespaceKind, Refusal, RefusalCode};

/// A text of a client.
pub(super) fn on_text(life: &mut Life, now: Instant, text: &str) -> Effects {
    let mut effects = life.prolong(now);
    let PlainRequest { id, command } = match PlainRequest::decode(text) {
        Ok(request) => request,
        Err(error) => {
            tracing::debug!(%error, "received an unreadable message");
            effects.extend(life.close(now, Ending::BadMessage, Carrier::Plain));
            return effects;
        }
    };
    let socket = life.socket_of(NamespaceKind::Plain).cloned();
    match (socket, command) {
        (None, _) if life.ended.is_some() => {}
        (None, Command::Auth { token }) => {
            let (kind, credentials) = (NamespaceKind::Plain, Credentials::Token(token));
            let reply = requests::of_id(id);
            effects.extend(admit(Candidate::Socket { kind, credentials, is_repeated: false, reply }));
        }
        (None, _) => effects.extend(life.close(now, Ending::Unauthorized, Carrier::Plain)),
        (Some(socket), command) => {
            let is_first = life.is_in_grace();
            match command {
                Command::Resume { .. } => life.skip_grace(),
                _ => effects.extend(life.end_grace()),
            }
            let request = requests::of_command(&socket, command, id, is_first);
            effects.extend(admit(Candidate::Message(request)));
        }
    }
    effects
}

/// The ending of a client whose token was refused.
pub(super) fn ending_of(refusal: &Refusal) -> Ending {
    match (refusal.ended, refusal.code) {
        (Some(reason), _) => Ending::Revoked(reason),
        (None, RefusalCode::RateLimited) => Ending::RateLimited,
        (None, _) => Ending::Unauthorized,
    }
}
