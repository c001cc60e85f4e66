use std::sync::Arc;

use backplane::Position;
use contracts::Claims;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::enter::{Entrance, NotEntered};
use super::{Connection, Hearing, Pending, RESUME_GRACE};
use crate::authorise::RefusalCode;
use crate::ending::Ending;
use crate::frame::Frame;
use crate::gateway::{Gateway, random_id};
use crate::hub::{Form, Hears};
use crate::plain::{Command, Request, ack};

/// What stands beside the id in an acknowledgement.
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Done { success: bool, data: Value },
    Failed { success: bool, error: Value },
}

impl From<Result<Value, Value>> for Outcome {
    fn from(result: Result<Value, Value>) -> Self {
        match result {
            Ok(data) => Self::Done { success: true, data },
            Err(error) => Self::Failed { success: false, error },
        }
    }
}

impl Connection {
    /// Takes in one message of `/ws`.
    pub async fn receive_text(self: &Arc<Self>, gateway: &Arc<Gateway>, text: &str) {
        self.alive();
        let request = match Request::decode(text) {
            Ok(request) => request,
            Err(error) => {
                tracing::debug!(%error, "a message cannot be read");
                return self.close(gateway, Ending::BadMessage);
            }
        };
        match (self.socket(Form::Plain), request.command) {
            (None, Command::Auth { token }) => {
                self.authenticate(gateway, &token).await;
                if self.socket(Form::Plain).is_some() {
                    self.acknowledge(request.id.as_ref(), Ok(Value::Null));
                }
            }
            (None, _) => self.close(gateway, Ending::Unauthorised),
            (Some(socket), command) => {
                let hearing = std::mem::take(&mut self.lock().hearing);
                let is_first = matches!(hearing, Hearing::Pending(_));
                match (hearing, &command) {
                    (Hearing::Pending(_) | Hearing::Everything, Command::Resume { .. }) => {}
                    // One replay after the other.
                    (Hearing::CatchingUp(replay), Command::Resume { .. }) => drop(replay.await),
                    (Hearing::Pending(pending), _) => {
                        let owner = Arc::clone(gateway);
                        Arc::clone(self)
                            .begin_hearing(owner, Form::Plain, Arc::clone(&socket), pending.from)
                            .await;
                    }
                    (hearing, _) => self.lock().hearing = hearing,
                }
                let is_free = match &command {
                    Command::Resume { .. } => is_first,
                    Command::Subscribe { room } => self.is_first_subscription(gateway, &socket, room),
                    _ => false,
                };
                let admitted = match is_free {
                    true => Ok(()),
                    false => self.admit_message(gateway, Form::Plain, &socket, command.name()).await,
                };
                let outcome = match admitted {
                    Ok(()) => self.obey(gateway, &socket, command).await,
                    Err(refused) => Err(refused),
                };
                self.acknowledge(request.id.as_ref(), outcome);
            }
        }
    }

    /// Lets the client in by its token, or ends the connection.
    pub async fn authenticate(self: &Arc<Self>, gateway: &Gateway, token: &str) {
        let token = Some(token).filter(|token| !token.is_empty());
        let entered = match gateway.authorise(&self.peer, token).await {
            Ok(claims) => self.begin_plain(gateway, &claims).await,
            Err(refusal) => Err(NotEntered::Refused(refusal)),
        };
        match entered {
            Ok(()) => gateway.metrics.connected("plain", "ok"),
            Err(NotEntered::Ended) => {}
            Err(NotEntered::Unavailable) => {
                gateway.metrics.connected("plain", "unavailable");
                self.close(gateway, Ending::Unavailable);
            }
            Err(NotEntered::Refused(refusal)) => {
                gateway.metrics.connected("plain", refusal.code.into_str());
                self.close(
                    gateway,
                    match (refusal.ended, refusal.code) {
                        (Some(reason), _) => Ending::Revoked(reason),
                        (None, RefusalCode::RateLimited) => Ending::RateLimited,
                        (None, _) => Ending::Unauthorised,
                    },
                );
            }
        }
    }

    /// Lets a client in. It hears no new event of the log for a moment, so that it can resume before.
    async fn begin_plain(self: &Arc<Self>, gateway: &Gateway, claims: &Claims) -> Result<(), NotEntered> {
        let (form, socket) = (Form::Plain, random_id());
        let may_resume = gateway.settings.recovery().is_some();
        let hears = if may_resume { Hears::Unlogged } else { Hears::Everything };
        let entrance = Entrance { form, claims, socket: Arc::clone(&socket), hears, secret: None };
        let mut from = None;
        self.enter(gateway, entrance, |position, _| {
            self.outbound.push(self.authorized(gateway, form, claims, &socket, position));
            from = Some(position.clone());
        })
        .await?;
        if let Some(from) = from.filter(|_| may_resume) {
            let until = Instant::now() + RESUME_GRACE;
            self.lock().hearing = Hearing::Pending(Pending { until, from }.into());
            self.watch(until);
        }
        self.keep(gateway, &socket);
        Ok(())
    }

    async fn obey(
        self: &Arc<Self>,
        gateway: &Arc<Gateway>,
        socket: &str,
        command: Command,
    ) -> Result<Value, Value> {
        match command {
            Command::Subscribe { room } => self.subscribe(gateway, socket, &room).await,
            Command::Unsubscribe { room } => self.unsubscribe(gateway, socket, &room).await,
            Command::Reauth { token } => self.reauth(gateway, socket, &token).await,
            Command::Ping {} => Ok(Value::Null),
            Command::Auth { .. } => Err(error("ALREADY_AUTHORISED", "use reauth to change the token")),
            Command::Resume { .. } if gateway.settings.recovery().is_none() => {
                Err(error("NOT_RECOVERABLE", "recovery is off"))
            }
            Command::Resume { epoch, seq, session_id } => {
                let after = Position { epoch: epoch.into(), seq };
                self.resume(gateway, socket, after, session_id.as_deref()).await
            }
        }
    }

    fn acknowledge(&self, id: Option<&Value>, outcome: Result<Value, Value>) {
        if let Some(id) = id {
            self.outbound.push(Frame::text(ack(id, &Outcome::from(outcome))));
        }
    }
}

fn error(code: &str, message: &str) -> Value {
    serde_json::json!({ "code": code, "message": message })
}
