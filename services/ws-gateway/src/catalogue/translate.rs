use std::sync::Arc;

use backplane::Message;
use contracts::{Clock, Envelope};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::event::{EncodedFrames, Event};
use super::load::Catalogue;
use super::own_rooms::user_room;
use super::reserved::is_reserved;
use super::room::Fields;
use super::route::{Route, Shape};
use crate::metrics::{Dropped, Metrics};
use crate::outbound::MAX_EVENT_BYTES;

/// Translates messages from the backplane into events for sockets.
pub(crate) struct Translator {
    pub catalogue: Arc<Catalogue>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    /// Whether recovery is on.
    pub recoverable: bool,
}

impl Translator {
    /// Translates a message by its route. A message that is not relayed still advances the position.
    pub(crate) fn event(&self, message: &Message) -> Event {
        let Some(route) = self.catalogue.route(&message.channel) else {
            return unrelayed(message);
        };
        let drop = |reason, detail: &str| {
            let event_id = Some(message.envelope.event_id);
            self.metrics.dropped_event(reason, &message.channel, event_id, detail);
        };
        if message.size > MAX_EVENT_BYTES {
            drop(Dropped::TooLarge, &format!("{} bytes", message.size));
            return unrelayed(message);
        }
        if is_reserved(&message.envelope.event_type) {
            drop(Dropped::Reserved, &message.envelope.event_type);
            return unrelayed(message);
        }
        let Ok(mut payload) = serde_json::from_str::<Value>(message.envelope.payload.get()) else {
            drop(Dropped::Malformed, "the payload cannot be read");
            return unrelayed(message);
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
        self.build(route, message, envelope, rooms)
    }

    fn build(
        &self,
        route: &Route,
        message: &Message,
        envelope: Envelope<Box<RawValue>>,
        rooms: Vec<String>,
    ) -> Event {
        Event {
            label: Arc::clone(&route.label),
            traceparent: message.envelope.traceparent,
            envelope,
            rooms,
            position: message.position.clone(),
            heard_at: Instant::now(),
            root: route.root,
            dashboard: route.dashboard,
            recoverable: self.recoverable,
            frames: EncodedFrames::default(),
        }
    }

    /// Reports to the user that an event could not be shown.
    fn complaint(&self, route: &Route, message: &Message) -> Event {
        let payload = json!({
            "code": "INVALID_PAYLOAD",
            "message": format!("an event of the type {} could not be shown", message.channel),
        });
        let envelope = Envelope {
            user_id: message.envelope.user_id.clone(),
            ..Envelope::unplaced("dashboard:error", self.clock.now(), raw(&payload))
        };
        let rooms = message.envelope.user_id.iter().map(|user| user_room(user)).collect();
        // Sent only to namespaces that would have received the event, except `/`, whose clients do not know
        // `dashboard:error`.
        let complaint = self.build(route, message, envelope, rooms);
        Event { root: None, dashboard: route.dashboard.map(|_| Shape::Envelope), ..complaint }
    }
}

fn unrelayed(message: &Message) -> Event {
    Event {
        label: "".into(),
        traceparent: None,
        envelope: message.envelope.clone(),
        rooms: Vec::new(),
        position: message.position.clone(),
        heard_at: Instant::now(),
        root: None,
        dashboard: None,
        recoverable: false,
        frames: EncodedFrames::default(),
    }
}

/// A value always has a JSON form.
fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_default()
}
