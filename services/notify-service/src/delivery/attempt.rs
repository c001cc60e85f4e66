//! One attempt to deliver.

use std::time::Duration;

use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::backoff;
use super::compose::{Outgoing, compose};
use super::entity::{Attempt, Model, Status};
use super::failure::DeliveryFailure;
use crate::State;
use crate::destination::entity as destination;
use crate::destination::target::{Kind, Target};
use crate::event::Event;
use crate::slack_app;

/// The result of a request or a mail.
pub struct Outcome {
    pub at: DateTime<Utc>,
    pub millis: i64,
    pub status: Option<u16>,
    pub failure: Option<DeliveryFailure>,
}

impl Outcome {
    /// An attempt that failed before anything was sent.
    pub fn failed(at: DateTime<Utc>, kind: &str) -> Self {
        Self { at, millis: 0, status: None, failure: Some(DeliveryFailure::new(kind, false)) }
    }
}

/// Sends one message about these events. `id` stays the same in every attempt.
pub async fn send(
    state: &State,
    destination: &destination::Model,
    target: &Target,
    events: &[Event],
    id: &str,
) -> Outcome {
    let started = std::time::Instant::now();
    let at = state.platform.clock().now();
    let (status, failure) = match compose(state, destination, target, events, id, at) {
        Ok(Outgoing::Http { url, headers, body }) => match state.client.post(&url, headers, body).await {
            Ok(response) => {
                (Some(response.status), refused(destination.kind, response.status, response.retry_after))
            }
            Err(failure) => (None, Some(DeliveryFailure::new(failure.kind, false))),
        },
        Ok(Outgoing::SlackApp(message)) => {
            slack_app::deliver(state, destination.id, target, events, message).await
        }
        Ok(Outgoing::Mails(mails)) => (None, send_mails(state, mails).await),
        Ok(Outgoing::Nothing) => (None, None),
        Err(kind) => (None, Some(DeliveryFailure::new(kind, true))),
    };
    let millis = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    Outcome { at, millis, status, failure }
}

/// Sends the same mail to each recipient. If one fails, all are sent again: mail programs show each once.
async fn send_mails(state: &State, mails: Vec<mail::Mail>) -> Option<DeliveryFailure> {
    let Some(smtp) = &state.smtp else { return Some(DeliveryFailure::new("no_smtp", false)) };
    // All at once, so that many recipients take no longer than one.
    let sending = join_all(mails.iter().map(|mail| smtp.send(mail)));
    let Ok(sent) = timeout(state.settings.notify_timeout, sending).await else {
        return Some(DeliveryFailure::new("timeout", false));
    };
    let error = sent.into_iter().find_map(Result::err)?;
    Some(DeliveryFailure::new(error.kind, error.is_permanent))
}

/// Reads an HTTP status as the kind of destination means it.
fn refused(kind: Kind, status: u16, retry_after: Option<Duration>) -> Option<DeliveryFailure> {
    let code = StatusCode::from_u16(status).ok();
    if code.is_some_and(|code| code.is_success()) {
        return None;
    }
    // Chats and pagers refuse a message that they cannot read in this way. A webhook may be repaired.
    let is_permanent = kind != Kind::Webhook && matches!(status, 400 | 413 | 422);
    let retry_after = retry_after.and_then(|time| TimeDelta::from_std(time).ok());
    let is_gone = code == Some(StatusCode::GONE);
    Some(DeliveryFailure {
        is_gone,
        retry_after,
        ..DeliveryFailure::new(format!("status_{status}"), is_permanent)
    })
}

/// Notes that a delivery is not needed.
pub(super) fn note_received(delivery: &mut Model, at: DateTime<Utc>) {
    delivery.status = Status::Received;
    delivery.finished_at = Some(at);
}

/// Notes the result of an attempt in its delivery.
pub(super) fn note(delivery: &mut Model, outcome: &Outcome) {
    let Outcome { at, millis, status, failure } = outcome;
    let kind = failure.as_ref().map(|failure| failure.kind.clone());
    delivery.attempts += 1;
    delivery.log.push(Attempt { at: *at, millis: *millis, status: *status, failure: kind.clone() });
    delivery.last_status = status.map(i32::from);
    delivery.failure = kind;
    let ended = *at + TimeDelta::milliseconds(*millis);
    let Some(failure) = failure else {
        delivery.status = Status::Delivered;
        delivery.finished_at = Some(ended);
        return;
    };
    let wait = backoff::delay(delivery.attempts).max(failure.retry_after.unwrap_or_default());
    delivery.due_at = ended + wait;
    if failure.is_permanent || delivery.due_at > delivery.expires_at {
        delivery.status = Status::Dead;
        delivery.finished_at = Some(ended);
    }
}
