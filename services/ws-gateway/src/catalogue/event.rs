use std::sync::{Arc, OnceLock};

use backplane::Position;
use chrono::{DateTime, Utc};
use contracts::{Envelope, Traceparent};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::route::Shape;
use crate::protocol::{Frame, NamespaceKind, socketio};

/// A relayed event, ready for every socket of the process.
///
/// The first socket of a namespace kind has the event encoded; all others of that kind share the frame.
#[derive(Debug)]
pub(crate) struct Event {
    /// The label of the event in metrics.
    pub label: Arc<str>,
    pub envelope: Envelope<Box<RawValue>>,
    /// The request that caused the event.
    pub traceparent: Option<Traceparent>,
    /// The rooms that receive the event; empty if the event only advances the position.
    pub rooms: Vec<String>,
    pub position: Option<Position>,
    /// The time at which this process heard of it.
    pub heard_at: Instant,
    pub root: Option<Shape>,
    pub dashboard: Option<Shape>,
    /// Whether recovery is on, so that the position goes with the event.
    pub recoverable: bool,
    pub frames: EncodedFrames,
}

/// One frame for each namespace kind.
#[derive(Debug, Default)]
pub(crate) struct EncodedFrames {
    root: OnceLock<Frame>,
    dashboard: OnceLock<Frame>,
    plain: OnceLock<Frame>,
}

impl Event {
    pub(crate) fn published_at(&self) -> DateTime<Utc> {
        self.envelope.timestamp
    }

    /// The event for sockets of this kind; `None` if they do not receive it.
    pub(crate) fn frame(&self, kind: NamespaceKind) -> Option<&Frame> {
        match kind {
            NamespaceKind::Root => Some(self.frames.root.get_or_init({
                let shape = self.root?;
                move || self.encode("/", shape)
            })),
            NamespaceKind::Dashboard => Some(self.frames.dashboard.get_or_init({
                let shape = self.dashboard?;
                move || self.encode("/dashboard", shape)
            })),
            NamespaceKind::Plain => Some(self.frames.plain.get_or_init(|| Frame::text(self.json()))),
        }
    }

    /// The approximate size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.envelope.payload.get().len()
    }

    fn encode(&self, namespace: &str, shape: Shape) -> Frame {
        let offset = self.position.as_ref().filter(|_| self.recoverable).map(Position::to_string);
        let name = &self.envelope.event_type;
        let text = match shape {
            Shape::Payload => {
                socketio::event(namespace, name, self.envelope.payload.get(), offset.as_deref())
            }
            Shape::Envelope => socketio::event(namespace, name, &self.json(), offset.as_deref()),
        };
        Frame::text(text)
    }

    fn json(&self) -> String {
        // Plain data with string keys: it always has a JSON form.
        serde_json::to_string(&self.envelope).unwrap_or_default()
    }
}

#[cfg(test)]
impl Event {
    /// An event without recipients, at a position of the log.
    pub(crate) fn example(position: Position) -> Self {
        let envelope = Envelope {
            event_id: uuid::Uuid::nil(),
            event_type: "example".into(),
            timestamp: DateTime::UNIX_EPOCH,
            payload: RawValue::from_string("{}".into()).unwrap(),
            user_id: None,
            account_id: None,
            traceparent: None,
            seq: Some(position.seq),
            epoch: Some(position.epoch.to_string()),
        };
        Self {
            label: "example".into(),
            traceparent: None,
            envelope,
            rooms: Vec::new(),
            position: Some(position),
            heard_at: Instant::now(),
            root: Some(Shape::Payload),
            dashboard: Some(Shape::Payload),
            recoverable: true,
            frames: EncodedFrames::default(),
        }
    }
}
