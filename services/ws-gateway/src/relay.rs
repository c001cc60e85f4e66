//! From the backplane to the hubs: one feed for the whole process, read once.

use std::sync::Arc;

use backplane::{FeedItem, Message, Position, ResetReason};
use contracts::events::auth::SessionDeleted;
use contracts::{Envelope, Event as _};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::catalogue::{Fields, Route, Shape, is_reserved};
use crate::cluster;
use crate::connection::MAX_EVENT_BYTES;
use crate::gateway::Gateway;
use crate::hub::{Event, Frames, Inbox, Item};
use crate::metrics::Dropped;

/// Follows the backplane until the process stops.
///
/// Inputs: the feed's items, hubs that join, the stop. Each item goes to every hub in order; a hub
/// that is behind holds the feed up, for which messages then wait or which catches up from the log.
pub async fn run(gateway: Arc<Gateway>, stop: CancellationToken) {
    let Some(mut joins) = gateway.take_joins() else { return };
    let mut feed = gateway.platform.backplane.feed_of_all_channels();
    let mut hubs: Vec<Inbox> = Vec::new();
    let mut position: Option<Position> = None;
    loop {
        let item = tokio::select! {
            Some(hub) = joins.recv() => {
                if let Some(position) = position.clone() {
                    hub.hand(&gateway, Item::Reset { position, reason: ResetReason::Started }, false).await;
                }
                hubs.push(hub);
                continue;
            }
            item = feed.next() => item,
            () = stop.cancelled() => return,
        };
        if let FeedItem::Reset { position: at, .. } = &item {
            position = Some(at.clone());
        }
        let Some(item) = gateway.item(item) else { continue };
        if let Item::Event(event) = &item {
            position = event.position.clone().or(position);
        }
        let more = feed.has_more();
        for hub in &hubs {
            hub.hand(&gateway, item.clone(), more).await;
        }
        hubs.retain(|hub| !hub.items.is_closed());
    }
}

impl Gateway {
    /// Translates an item of the feed into one for the hubs, if it concerns them.
    fn item(self: &Arc<Self>, item: FeedItem) -> Option<Item> {
        match item {
            FeedItem::Message(message) if message.channel == cluster::CHANNEL => {
                self.hear_control(message.envelope.payload.get());
                None
            }
            FeedItem::Message(message) => {
                self.note_end(&message);
                let event = Arc::new(self.prepare(&message));
                self.history.add(&event);
                Some(Item::Event(event))
            }
            FeedItem::Reset { position, reason } => Some(Item::Reset { position, reason }),
            FeedItem::Lost { messages } => {
                tracing::warn!(messages, "messages came faster than they could be relayed, and are lost");
                self.metrics.dropped(Dropped::Overflow, messages);
                Some(Item::Lost)
            }
            FeedItem::Unreadable { channel } => {
                self.metrics.dropped_event(Dropped::Malformed, &channel, None, "not an envelope");
                None
            }
            FeedItem::MarksChanged => None,
        }
    }

    fn note_end(&self, message: &Message) {
        if message.channel == SessionDeleted::TYPE
            && let Ok(ended) = serde_json::from_str::<SessionDeleted>(message.envelope.payload.get())
        {
            self.revocations.ended(self, ended.session_id, message.envelope.timestamp);
        }
    }

    /// Looks a message up in the catalogue. What is not relayed still moves the position on.
    pub fn prepare(&self, message: &Message) -> Event {
        let Some(route) = self.catalogue.route(&message.channel) else {
            return unheard(message);
        };
        let drop = |reason, detail: &str| {
            let event_id = Some(message.envelope.event_id);
            self.metrics.dropped_event(reason, &message.channel, event_id, detail);
        };
        if message.size > MAX_EVENT_BYTES {
            drop(Dropped::TooLarge, &format!("{} bytes", message.size));
            return unheard(message);
        }
        if is_reserved(&message.envelope.event_type) {
            drop(Dropped::Reserved, &message.envelope.event_type);
            return unheard(message);
        }
        let Ok(mut payload) = serde_json::from_str::<Value>(message.envelope.payload.get()) else {
            drop(Dropped::Malformed, "the payload cannot be read");
            return unheard(message);
        };
        if let Err(reason) = route.check(&payload) {
            drop(Dropped::Schema, &reason);
            return self.complaint(route, message);
        }
        let envelope = &message.envelope;
        let fields = Fields {
            user_id: envelope.user_id.as_deref(),
            account_id: envelope.account_id.as_deref(),
            payload: &payload,
        };
        let rooms = route.rooms(&message.channel, &fields);
        let mut envelope = envelope.clone();
        envelope.traceparent = None;
        if route.prune(&mut payload) {
            envelope.payload = raw(&payload);
        }
        self.event(route, message, envelope, rooms)
    }

    fn event(
        &self,
        route: &Route,
        message: &Message,
        envelope: Envelope<Box<RawValue>>,
        rooms: Vec<String>,
    ) -> Event {
        Event {
            label: route.label().into(),
            traceparent: message.envelope.traceparent,
            envelope,
            rooms,
            position: message.position.clone(),
            root: route.root,
            dashboard: route.dashboard,
            recoverable: self.settings.recovery().is_some(),
            frames: Frames::default(),
        }
    }

    /// Tells the user, if there is one, that an event for them could not be shown.
    fn complaint(&self, route: &Route, message: &Message) -> Event {
        let payload = json!({
            "code": "INVALID_PAYLOAD",
            "message": format!("an event of the type {} could not be shown", message.channel),
        });
        let envelope = Envelope {
            event_id: Uuid::now_v7(),
            event_type: "dashboard:error".into(),
            timestamp: self.clock().now(),
            payload: raw(&payload),
            user_id: message.envelope.user_id.clone(),
            account_id: None,
            traceparent: None,
            seq: None,
            epoch: None,
        };
        let rooms = message.envelope.user_id.iter().map(|user| crate::hub::user_room(user)).collect();
        // Only where it would have been shown, and in `/` never: clients there know no such event.
        let complaint = self.event(route, message, envelope, rooms);
        Event { root: None, dashboard: route.dashboard.map(|_| Shape::Envelope), ..complaint }
    }
}

fn unheard(message: &Message) -> Event {
    Event {
        label: "".into(),
        traceparent: None,
        envelope: message.envelope.clone(),
        rooms: Vec::new(),
        position: message.position.clone(),
        root: None,
        dashboard: None,
        recoverable: false,
        frames: Frames::default(),
    }
}

/// A value always has a JSON form.
fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_default()
}
