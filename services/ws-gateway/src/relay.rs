//! From the backplane to the hubs: one feed for the whole process, read once.

use std::sync::Arc;

use backplane::{Feed, FeedItem, Message, Position, ResetReason};
use contracts::Event as _;
use contracts::events::auth::SessionDeleted;
use contracts::events::notification::ReceiptWanted;
use tokio_util::sync::CancellationToken;

use crate::admission::RevocationLag;
use crate::catalogue::Translator;
use crate::cluster::{self, Cluster};
use crate::hub::{Hubs, Inbox, Item};
use crate::metrics::{Dropped, Metrics};
use crate::receipts::Questions;
use crate::recovery::Recovery;

/// Passes the feed to the hubs, and the control messages to the cluster.
pub(crate) struct Relay {
    pub hubs: Arc<Hubs>,
    pub cluster: Arc<Cluster>,
    pub translator: Arc<Translator>,
    pub recovery: Arc<Recovery>,
    pub revocation_lag: Arc<RevocationLag>,
    pub metrics: Arc<Metrics>,
    pub questions: Questions,
}

impl Relay {
    /// Follows the feed until `stop`.
    ///
    /// Inputs: the feed's items, new hubs, the stop. Each item goes to every hub in order. A slow hub therefore
    /// delays all hubs; meanwhile, items wait in the feed, which can read dropped events from the log.
    pub(crate) async fn run(self, mut feed: Feed, stop: CancellationToken) {
        let Some(mut joins) = self.hubs.take_joins() else { return };
        let mut hubs: Vec<Inbox> = Vec::new();
        let mut position: Option<Position> = None;
        loop {
            let item = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(hub) = joins.recv() => {
                    if let Some(position) = position.clone() {
                        hub.send(Item::Reset { position, reason: ResetReason::Started }, false).await;
                    }
                    hubs.push(hub);
                    continue;
                }
                item = feed.next() => item,
            };
            if let FeedItem::Reset { position: at, .. } = &item {
                position = Some(at.clone());
            }
            let Some(item) = self.translate(item) else { continue };
            if let Item::Event(event) = &item {
                position = event.position.clone().or(position);
            }
            let more = feed.has_more();
            for hub in &hubs {
                hub.send(item.clone(), more).await;
            }
            hubs.retain(|hub| !hub.items.is_closed());
        }
    }

    /// Translates an item of the feed into one for the hubs; `None` if the item does not concern them.
    fn translate(&self, item: FeedItem) -> Option<Item> {
        match item {
            FeedItem::Message(message) if message.channel == cluster::CHANNEL => {
                self.cluster.hear(message.envelope.payload.get());
                None
            }
            FeedItem::Message(message) if message.channel == ReceiptWanted::TYPE => {
                self.questions.ask(message.envelope.payload.get());
                None
            }
            FeedItem::Message(message) => {
                self.note_session_end(&message);
                let event = Arc::new(self.translator.event(&message));
                self.recovery.history.add(&event);
                Some(Item::Event(event))
            }
            FeedItem::Reset { position, reason } => Some(Item::Reset { position, reason }),
            FeedItem::Lost { messages } => {
                tracing::warn!(messages, "lost messages that came faster than they could be relayed");
                self.metrics.dropped(Dropped::Overflow, messages);
                Some(Item::Lost)
            }
            FeedItem::Ignored { channel, reason } => {
                self.metrics.dropped_event(Dropped::Malformed, &channel, None, reason);
                None
            }
            FeedItem::MarksChanged => None,
        }
    }

    fn note_session_end(&self, message: &Message) {
        if message.channel == SessionDeleted::TYPE
            && let Ok(ended) = serde_json::from_str::<SessionDeleted>(message.envelope.payload.get())
        {
            self.revocation_lag.ended(ended.session_id, message.envelope.timestamp);
        }
    }
}
