//! Receipts: whether an engineer already received an event over an open socket, so that nobody needs to be paged.

use std::time::Duration;

use contracts::events::notification::{ReceiptWanted, receipt_key};
use contracts::{Envelope, Event as _};
use uuid::Uuid;

use crate::State;

/// Time for the answers of the gateways. Without one, nobody received the event.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Asks the gateways whether an engineer has received an event. If they cannot be asked, nobody has: a page too many is
/// better than none.
pub(super) async fn was_received(state: &State, event_id: Uuid) -> bool {
    let asking = async {
        match ask(state, event_id).await {
            Ok(is_received) => is_received,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "cannot ask who received an event");
                false
            }
        }
    };
    tokio::time::timeout(ANSWERED_WITHIN, asking).await.unwrap_or(false)
}

async fn ask(state: &State, event_id: Uuid) -> anyhow::Result<bool> {
    let backplane = state.platform.backplane();
    let question = Envelope::of(ReceiptWanted { id: event_id }, state.platform.clock());
    backplane.log.broadcast(ReceiptWanted::TYPE, &serde_json::to_string(&question)?).await?;
    let key = receipt_key(event_id);
    loop {
        if backplane.keys.get(&key).await?.is_some() {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
