//! Reads the log by position, and hands its events to the destinations. The position is stored with the deliveries in
//! one transaction, so that no event is missed or handed over twice, whatever dies. Any number of replicas may run this.

use std::time::Duration;

use anyhow::{Context, Result};
use backplane::{FeedItem, LogRead, Position};
use chrono::{DateTime, Utc};
use contracts::Envelope;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::cursor;
use super::fan_out::fan_out;
use crate::State;
use crate::event::{EVENTS_MISSED, Event};

/// Number of events that are handed over in one transaction.
const PAGE: usize = 200;
/// Interval between looks at the log, should its announcements be missed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Hands over events until `stop`. Woken by announcements of events, and by the interval.
pub async fn run(state: &State, stop: CancellationToken) {
    let heard = Notify::new();
    let listening = async {
        let mut feed = state.platform.backplane().feed();
        loop {
            if let FeedItem::Message(_) | FeedItem::Reset { .. } = feed.next().await {
                heard.notify_one();
            }
        }
    };
    let reading = async {
        loop {
            match consume(state).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "cannot read events for notifications yet");
                    tokio::time::sleep(INTERVAL).await;
                }
            }
            let _elapsed = tokio::time::timeout(INTERVAL, heard.notified()).await;
        }
    };
    tokio::select! {
        () = listening => {}
        () = reading => {}
        () = stop.cancelled() => {}
    }
}

/// Hands over the next page. Returns whether more may follow.
async fn consume(state: &State) -> Result<bool> {
    let log = &state.platform.backplane().log;
    let now = state.platform.clock().now();
    let Some(at) = cursor::find(&state.database).await? else {
        // What happened before the first start concerns nobody.
        let head = log.head().await?;
        cursor::begin(&state.database, cursor::Model::new(&head, None, now)).await?;
        return Ok(true);
    };
    let position = at.position().context("the stored position cannot be read")?;
    let next = match log.read_after(&position, at.last_event, PAGE).await? {
        LogRead::Events(messages) if messages.is_empty() => return Ok(false),
        LogRead::Events(messages) => {
            let last = messages.last().context("a page")?;
            Next {
                cursor: cursor::Model::new(
                    last.position.as_ref().context("an event without a position")?,
                    Some(last.envelope.event_id),
                    last.envelope.timestamp,
                ),
                has_more: messages.len() == PAGE,
                events: messages.iter().filter_map(|message| Event::read(message)).collect(),
            }
        }
        LogRead::Lost => after_loss(state, &at, now).await?,
    };
    hand_over(state, &at, next, now).await
}

struct Next {
    cursor: cursor::Model,
    events: Vec<Event>,
    has_more: bool,
}

/// Goes on at the beginning of the log that is there now: an event that was handed over before is not handed over again.
/// If that log no longer has its beginning, goes on at its end. Reports the loss, unless the log has the last event that
/// was read, and with it everything after it.
async fn after_loss(state: &State, at: &cursor::Model, now: DateTime<Utc>) -> Result<Next> {
    let log = &state.platform.backplane().log;
    let head = log.head().await?;
    let mut place = Position { seq: 0, ..head.clone() };
    let (mut has_beginning, mut has_last_event) = (true, false);
    while place.seq < head.seq && !has_last_event {
        let LogRead::Events(page) = log.read_after(&place, None, PAGE).await? else {
            has_beginning = false;
            break;
        };
        has_last_event = page.iter().any(|message| Some(message.envelope.event_id) == at.last_event);
        let Some(last) = page.last().and_then(|message| message.position.clone()) else { break };
        place = last;
    }
    let next = if has_beginning { Position { seq: 0, ..head } } else { head };
    let events = if has_last_event { Vec::new() } else { vec![missed(at.read_at, now)] };
    Ok(Next { cursor: cursor::Model::new(&next, None, at.read_at), events, has_more: true })
}

async fn hand_over(state: &State, before: &cursor::Model, next: Next, now: DateTime<Utc>) -> Result<bool> {
    let tx = state.database.begin().await?;
    if cursor::lock(&tx).await?.as_ref() != Some(before) {
        // Another replica was faster.
        return Ok(true);
    }
    let count = fan_out(&tx, &state.matchers, &next.events, now, state.settings.retry_for()).await?;
    cursor::advance(&tx, next.cursor).await?;
    tx.commit().await?;
    if count > 0 {
        if next.events.iter().any(|event| event.event_type == EVENTS_MISSED) {
            tracing::error!(since = %before.read_at, "the event log was lost: destinations may have missed events");
        }
        state.dispatch.notify_one();
    }
    Ok(next.has_more)
}

/// The message to every destination that the log no longer has all events.
fn missed(since: DateTime<Utc>, now: DateTime<Utc>) -> Event {
    let payload = json!({"id": Uuid::now_v7(), "since": since});
    let envelope = Envelope::unplaced(EVENTS_MISSED, now, payload);
    Event {
        id: envelope.event_id,
        event_type: envelope.event_type,
        at: now,
        account_id: None,
        user_id: None,
        payload: envelope.payload,
    }
}
