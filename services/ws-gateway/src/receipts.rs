//! Answers the question whether a person who may decide received an event. Found out only when it is asked, so that no delivery costs more.

use std::sync::Arc;
use std::time::Duration;

use backplane::{Keys, Put};
use contracts::events::notification::{ReceiptWanted, receipt_key};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::catalogue::Event;
use crate::hub::Hubs;
use crate::recovery::Recovery;

/// Time for which the answer to a question is kept.
const KEPT: Duration = Duration::from_secs(60);
/// Number of questions that may wait. Those beyond stay without an answer, as if nobody had received the event.
const WAITING: usize = 1_000;
/// Time that an event needs at most from the feed into the queues of the sockets. A ping after it follows the event.
const QUEUED_WITHIN: Duration = Duration::from_secs(2);

/// Takes questions from the relay, which must not wait.
#[derive(Clone)]
pub(crate) struct Questions(mpsc::Sender<Uuid>);

impl Questions {
    pub(crate) fn ask(&self, payload: &str) {
        if let Ok(ReceiptWanted { id }) = serde_json::from_str(payload) {
            // A full queue is as silent as a gateway without the answer.
            let _ = self.0.try_send(id);
        }
    }
}

/// Answers questions about receipts.
pub(crate) struct Receipts {
    pub hubs: Arc<Hubs>,
    pub recovery: Arc<Recovery>,
    pub keys: Arc<dyn Keys>,
    questions: mpsc::Receiver<Uuid>,
}

impl Receipts {
    pub(crate) fn new(hubs: Arc<Hubs>, recovery: Arc<Recovery>, keys: Arc<dyn Keys>) -> (Questions, Self) {
        let (sender, questions) = mpsc::channel(WAITING);
        (Questions(sender), Self { hubs, recovery, keys, questions })
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let answering = async {
            while let Some(id) = self.questions.recv().await {
                if self.was_received(id) {
                    let put = Put { key: receipt_key(id), value: Some("1".into()), ttl: KEPT };
                    if let Err(error) = self.keys.put(&[put]).await {
                        tracing::warn!(%error, "cannot tell that an event was received");
                    }
                }
            }
        };
        stop.run_until_cancelled(answering).await;
    }

    fn was_received(&self, id: Uuid) -> bool {
        let Some(event) = self.recovery.history.find(id) else { return false };
        self.hubs.all().iter().any(|hub| {
            // The connections are asked without the lock of the hub.
            let engineers = hub.engineers_who_hear(&event);
            engineers.iter().any(|socket| socket.subscriber.has_answered_since(sent_by(&event)))
        })
    }
}

fn sent_by(event: &Event) -> tokio::time::Instant {
    event.heard_at + QUEUED_WITHIN
}
