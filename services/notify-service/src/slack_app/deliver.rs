//! Messages of an app: the first one about a drift shows its current state, and all later ones are in its thread.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::api::{Refused, SlackApp, call};
use super::refusal::{is_message_fixed, is_message_gone};
use super::thread;
use crate::State;
use crate::delivery::DeliveryFailure;
use crate::destination::target::Target;
use crate::event::Event;
use crate::message::slack;

/// Pause after an error of the database.
const RETRY: Duration = Duration::from_millis(200);

/// Delivers a message about events. Returns the HTTP status of the last response, and the failure.
pub async fn deliver(
    state: &State,
    destination: Uuid,
    target: &Target,
    events: &[Event],
    message: Value,
) -> (Option<u16>, Option<DeliveryFailure>) {
    let Some(app) = SlackApp::of(target) else { return (None, Some(DeliveryFailure::new("target", true))) };
    let delivery = Delivery { state, destination, app };
    let delivering = async {
        match events {
            [event] if is_about_drift(event) => delivery.in_thread(event, message).await,
            _ => delivery.post(message, None).await.map(drop),
        }
    };
    // The lease of the destination lasts for one request, and this may take three.
    match timeout(state.settings.notify_timeout, delivering).await {
        Ok(Ok(())) => (Some(200), None),
        Ok(Err(Refused { status, failure })) => (status, Some(failure)),
        Err(_elapsed) => (None, Some(DeliveryFailure::new("timeout", false))),
    }
}

/// Whether the event is about one drift. The id of a sample is none.
fn is_about_drift(event: &Event) -> bool {
    event.subject().strip_prefix("drift:").and_then(|id| id.parse().ok()).is_some_and(|id: Uuid| !id.is_nil())
}

struct Delivery<'a> {
    state: &'a State,
    destination: Uuid,
    app: SlackApp<'a>,
}

impl Delivery<'_> {
    async fn in_thread(&self, event: &Event, message: Value) -> Result<(), Refused> {
        let subject = event.subject();
        let found = thread::find(&self.state.database, self.destination, &subject).await;
        let found = found.map_err(|_error| unavailable())?;
        let Some(thread) = found else { return self.begin(event, message).await };
        // Deliveries that are repeated on request must not bring an earlier state back.
        if event.state().is_some() && event.at >= thread.shown_at {
            match self.edit(&thread, &message, event.at).await {
                Err(refused) if is_message_gone(&refused.failure.kind) => {
                    return self.begin(event, message).await;
                }
                edited => edited?,
            }
        }
        match self.post(slack::without_buttons(message.clone()), Some(&thread.ts)).await {
            Err(refused) if is_message_gone(&refused.failure.kind) => self.begin(event, message).await,
            posted => posted.map(drop),
        }
    }

    /// Posts the first message about a drift.
    async fn begin(&self, event: &Event, message: Value) -> Result<(), Refused> {
        let (channel, ts) = self.post(message, None).await?;
        let thread = thread::Model {
            destination_id: self.destination,
            subject: event.subject(),
            channel,
            ts,
            shown_at: event.at,
        };
        // Without it, the message would be posted again. Slack documents no key against this.
        while let Err(error) = thread::store(&self.state.database, thread.clone()).await {
            tracing::warn!(%error, "cannot store a thread of Slack yet");
            tokio::time::sleep(RETRY).await;
        }
        Ok(())
    }

    /// Shows the current state of a drift in the first message about it.
    async fn edit(&self, thread: &thread::Model, message: &Value, at: DateTime<Utc>) -> Result<(), Refused> {
        let mut body = message.clone();
        body["channel"] = json!(thread.channel);
        body["ts"] = json!(thread.ts);
        match call(&self.state.client, &self.app, "chat.update", &body).await {
            // The thread still tells the state.
            Err(refused) if is_message_fixed(&refused.failure.kind) => return Ok(()),
            edited => edited.map(drop)?,
        }
        thread::note_shown(&self.state.database, thread, at).await.map_err(|_error| unavailable())
    }

    /// Posts a message, and returns its channel and its `ts`.
    async fn post(&self, mut body: Value, thread_ts: Option<&str>) -> Result<(String, String), Refused> {
        body["channel"] = json!(self.app.channel);
        if let Some(ts) = thread_ts {
            body["thread_ts"] = json!(ts);
        }
        let posted = call(&self.state.client, &self.app, "chat.postMessage", &body).await?;
        Ok((posted.channel, posted.ts))
    }
}

fn unavailable() -> Refused {
    Refused { status: None, failure: DeliveryFailure::new("database", false) }
}
