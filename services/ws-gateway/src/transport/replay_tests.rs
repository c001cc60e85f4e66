//! Events that a socket missed, and those that wait for it.

use std::sync::Arc;

use backplane::Position;
use contracts::Claims;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::connection::Services;
use super::enter_tests::{claims, enter_plain, start};
use super::replay::go_live;
use crate::catalogue::{Event, account_room, user_room};
use crate::hub::{Hears, Inbox, Item};
use crate::outbound::{Pushed, QUEUE_BYTES};
use crate::protocol::{Frame, NamespaceKind};

/// An event for a room, with a payload of that many bytes.
fn event(room: String, at: Position, size: usize) -> Event {
    let mut event = Event::example(at);
    event.rooms = vec![room];
    event.envelope.payload = RawValue::from_string(format!("\"{}\"", "x".repeat(size - 2))).unwrap();
    event
}

fn after(position: &Position) -> Position {
    Position { seq: position.seq + 1, ..position.clone() }
}

async fn deliver(services: &Services, event: &Arc<Event>) {
    let inbox = Inbox { hub: Arc::clone(&services.hub), items: mpsc::channel(1).0 };
    inbox.send(Item::Event(Arc::clone(event)), false).await;
}

#[actix_web::test]
async fn a_missed_event_that_does_not_fit_closes_the_connection() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (connection, socket, entered) = enter_plain(&services, &claims, Hears::Unlogged).await;
    let before = entered.unwrap();

    let event = Arc::new(event(user_room(&claims.user_id), after(&before), QUEUE_BYTES));
    services.recovery.history.add(&event);
    deliver(&services, &event).await;
    assert!(!connection.outbound.is_closing());

    go_live(&connection, NamespaceKind::Plain, &socket, before).await;
    assert!(connection.outbound.is_closing(), "the client would not learn that an event is missing");
    let ended = state.platform.metrics().gather();
    let ended = prometheus::TextEncoder::new().encode_to_string(&ended).unwrap();
    assert!(ended.contains("ws_disconnects_total{code=\"4503\"} 1"), "{ended}");
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn events_that_wait_for_a_socket_are_bounded_and_the_rest_is_counted_as_lost() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let hears = Hears::Nothing(Box::default());
    let (_connection, socket, entered) = enter_plain(&services, &claims, hears).await;
    let mut event = event(user_room(&claims.user_id), entered.unwrap(), 100 * 1024);
    event.position = None;
    let event = Arc::new(event);
    for _ in 0..5 {
        deliver(&services, &event).await;
    }
    let opened = services.hub.open_socket(&socket, Frame::ping());
    assert_eq!(opened, Some((Pushed::First, 3)), "256 KiB have room for two");
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn a_catch_up_follows_a_change_of_the_account_s78() {
    let (state, old) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (_connection, socket, entered) = enter_plain(&services, &old, Hears::Unlogged).await;
    let before = entered.unwrap();
    let mut missed = services.hub.begin_catch_up(&socket, None).unwrap();
    let new = Claims { account_id: Some("new".into()), ..old.clone() };
    services.hub.replace_claims(&socket, &new);
    let of =
        |claims: &Claims| Arc::new(event(account_room(claims.account_id.as_deref()), after(&before), 10));
    deliver(&services, &of(&new)).await;
    assert!(!services.hub.go_live(&socket, &before, Some(&mut missed)));
    assert_eq!((missed.wants(&of(&old)), missed.wants(&of(&new))), (false, true));
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn a_catch_up_has_no_events_from_before_a_subscription() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (_connection, socket, entered) = enter_plain(&services, &claims, Hears::Unlogged).await;
    let mut at = entered.unwrap();
    let mut alert = async || {
        at = after(&at);
        let event = Arc::new(event("alerts".into(), at.clone(), 10));
        deliver(&services, &event).await;
        event
    };
    let before = alert().await;
    services.hub.subscribe(&socket, "alerts");
    let since = alert().await;
    let missed = services.hub.begin_catch_up(&socket, None).unwrap();
    assert_eq!((missed.wants(&before), missed.wants(&since)), (false, true));
    // The client that resumes was in the room already.
    let missed = services.hub.begin_catch_up(&socket, Some(&["alerts".into()])).unwrap();
    assert_eq!((missed.wants(&before), missed.wants(&since)), (true, true));
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn a_client_that_resumes_gets_no_event_again_that_it_received_in_a_room_that_it_left() {
    let (state, old) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (_connection, socket, entered) = enter_plain(&services, &old, Hears::Everything).await;
    let given = after(&entered.unwrap());
    let mut of_both = event(account_room(old.account_id.as_deref()), given.clone(), 10);
    of_both.rooms.push("drifts".into());
    let of_both = Arc::new(of_both);
    deliver(&services, &of_both).await;
    let new = Claims { account_id: Some("new".into()), ..old.clone() };
    services.hub.replace_claims(&socket, &new);
    let missed_later = Arc::new(event("drifts".into(), after(&given), 10));
    deliver(&services, &missed_later).await;
    let missed = services.hub.begin_catch_up(&socket, Some(&["drifts".into()])).unwrap();
    assert_eq!((missed.wants(&of_both), missed.wants(&missed_later)), (false, true));
    // A change of the account during the catch-up: what the socket has received is not known.
    services.hub.replace_claims(&socket, &old);
    assert!(services.hub.begin_catch_up(&socket, Some(&["drifts".into()])).is_none());
    assert!(services.hub.begin_catch_up(&socket, None).is_some());
    state.platform.lifecycle().stop.cancel();
}
