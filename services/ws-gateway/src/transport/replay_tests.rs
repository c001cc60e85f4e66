//! A replay that the queue has no room for.

use std::sync::Arc;

use backplane::Position;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::enter_tests::{claims, enter_plain, start};
use super::replay::go_live;
use crate::catalogue::{Event, user_room};
use crate::hub::{Hears, Inbox, Item};
use crate::outbound::QUEUE_BYTES;
use crate::protocol::NamespaceKind;

#[actix_web::test]
async fn a_missed_event_that_does_not_fit_closes_the_connection() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (connection, socket, entered) = enter_plain(&services, &claims, Hears::Unlogged).await;
    let before = entered.unwrap();

    let at = Position { seq: before.seq + 1, ..before.clone() };
    let mut event = Event::example(at);
    event.rooms = vec![user_room(&claims.user_id)];
    event.envelope.payload = RawValue::from_string(format!("\"{}\"", "x".repeat(QUEUE_BYTES))).unwrap();
    let event = Arc::new(event);
    services.recovery.history.add(&event);
    let inbox = Inbox { hub: Arc::clone(&services.hub), items: mpsc::channel(1).0 };
    inbox.send(Item::Event(event), false).await;
    assert!(!connection.outbound.is_closing());

    go_live(&connection, NamespaceKind::Plain, &socket, before).await;
    assert!(connection.outbound.is_closing(), "the client would not learn that an event is missing");
    let ended = state.platform.metrics.gather();
    let ended = prometheus::TextEncoder::new().encode_to_string(&ended).unwrap();
    assert!(ended.contains("ws_disconnects_total{code=\"4503\"} 1"), "{ended}");
    state.platform.stop.cancel();
}
