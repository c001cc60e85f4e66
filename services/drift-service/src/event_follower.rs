use backplane::FeedItem;
use contracts::Event;
use contracts::events::drift::DriftDeciding;
use tokio_util::sync::CancellationToken;

use crate::State;

/// Follows the events of all processes until `stop`: notes the newest position, and who is deciding.
pub(crate) async fn follow(state: &State, stop: CancellationToken) {
    let mut feed = state.platform.backplane().feed();
    let following = async {
        loop {
            match feed.next().await {
                FeedItem::Reset { position, .. } => state.newest.reach(&position),
                FeedItem::Message(message) => {
                    if let Some(position) = &message.position {
                        state.newest.reach(position);
                    } else if message.channel == DriftDeciding::TYPE {
                        state.deciding.hear(message.envelope.payload.get(), state.platform.clock().now());
                    }
                }
                FeedItem::MarksChanged | FeedItem::Lost { .. } | FeedItem::Ignored { .. } => {}
            }
        }
    };
    stop.run_until_cancelled(following).await;
}
