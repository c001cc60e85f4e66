use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{Connection, NotEntered};
use crate::authorise::RefusalCode;
use crate::ending::Ending;
use crate::frame::Frame;
use crate::gateway::Gateway;
use crate::hub::Form;
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
    /// Something was heard from the client, so it lives.
    pub fn alive(&self) {
        self.lock().heartbeat.pong(Instant::now());
    }

    /// Takes in one message of `/ws`.
    pub async fn receive_text(self: &Arc<Self>, gateway: &Gateway, text: &str) {
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
                if self.admit_message(gateway, Form::Plain, &socket).await {
                    let outcome = self.obey(gateway, &socket, command).await;
                    self.acknowledge(request.id.as_ref(), outcome);
                }
            }
        }
    }

    /// Lets the client in by its token, or ends the connection.
    pub async fn authenticate(self: &Arc<Self>, gateway: &Gateway, token: &str) {
        let token = Some(token).filter(|token| !token.is_empty());
        let entered = match gateway.authorise(&self.peer, token).await {
            Ok(claims) => self.enter(gateway, Form::Plain, &claims, |_| None).await,
            Err(refusal) => Err(NotEntered::Refused(refusal)),
        };
        match entered {
            Ok(_) => gateway.metrics.connected("plain", "ok"),
            Err(NotEntered::Ended) => {}
            Err(NotEntered::Unavailable) => {
                gateway.metrics.connected("plain", "unavailable");
                self.close(gateway, Ending::Unavailable);
            }
            Err(NotEntered::Refused(refusal)) => {
                gateway.metrics.connected("plain", refusal.code.as_str());
                let limited = refusal.code == RefusalCode::RateLimited;
                self.close(gateway, if limited { Ending::RateLimited } else { Ending::Unauthorised });
            }
        }
    }

    async fn obey(self: &Arc<Self>, gateway: &Gateway, socket: &str, command: Command) -> Result<Value, Value> {
        match command {
            Command::Subscribe { room } => self.subscribe(gateway, socket, &room),
            Command::Unsubscribe { room } => self.unsubscribe(gateway, socket, &room),
            Command::Reauth { token } => self.reauth(gateway, socket, &token).await,
            Command::Ping {} => Ok(Value::Null),
            Command::Auth { .. } => Err(error("ALREADY_AUTHORISED", "use reauth to change the token")),
            Command::Resume { .. } => Err(error("NOT_RECOVERABLE", "resuming is not possible here")),
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
