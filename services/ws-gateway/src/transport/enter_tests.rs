//! Sockets that enter, without a server.

use std::sync::Arc;

use backplane::Position;
use clap::Parser;
use contracts::events::auth::EndReason;
use contracts::{Claims, Clock, Holder, Role};
use identity::UserChange;
use platform::Platform;
use uuid::Uuid;

use super::connection::{Connection, Services};
use super::enter::{Entrance, enter};
use super::replay::keep_written;
use crate::admission::Peer;
use crate::hub::{Hears, Member, Subscriber};
use crate::protocol::{Ending, NamespaceKind};
use crate::random_id::random_id;
use crate::{Config, State, run_background};

/// A gateway without a server.
pub(super) fn start() -> State {
    let state = connect("memory:", &[]);
    let stop = state.platform.lifecycle().served.clone();
    state.platform.spawn("ws-gateway", run_background(state.clone(), stop));
    state
}

/// A gateway without a server, whose feed has not begun.
pub(super) fn connect(redis: &str, arguments: &[&str]) -> State {
    let own = ["ws-gateway", "--redis-url", redis, "--jwt-access-secret", "of a test"];
    let Config { process, keys, settings, .. } = Config::parse_from(own.iter().chain(arguments));
    let channels = settings.channels().unwrap();
    let platform = Platform::connect("entering", process, &keys, redis, channels, Clock::system()).unwrap();
    State::connect(platform, settings).unwrap()
}

pub(super) fn claims(user: Uuid) -> Claims {
    let holder = Holder {
        subject: user.to_string(),
        email: "someone@example.com".into(),
        role: Role::Viewer,
        account_id: Some("old".into()),
        generation: 1,
        session: Uuid::now_v7(),
    };
    let now = Clock::system().now();
    Claims::access(holder, now, now + chrono::TimeDelta::minutes(15))
}

/// Lets a new socket of `/ws` in. Returns the position at which it entered.
pub(super) async fn enter_plain(
    services: &Arc<Services>,
    claims: &Claims,
    hears: Hears,
) -> (Arc<Connection>, Arc<str>, Option<Position>) {
    let (connection, _) = Connection::plain(services, Peer::default());
    let (kind, socket) = (NamespaceKind::Plain, random_id());
    let entrance = Entrance { kind, claims, socket: Arc::clone(&socket), hears, kept: None };
    let mut at = None;
    let entered = enter(&connection, entrance, |position, _| at = Some(position.clone())).await;
    (connection, socket, entered.ok().and(at))
}

#[actix_web::test]
async fn two_entrances_of_one_socket_do_not_touch_each_other() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (first, socket, _) = enter_plain(&services, &claims, Hears::Everything).await;
    keep_written(&first, &socket).await.unwrap();
    let other = format!("{socket}.other");
    assert!(services.recovery.take_over(&socket, &other, |_| false).await.is_none(), "another client");
    let mut kept = services.recovery.take_over(&socket, &other, |_| true).await.unwrap();
    kept.entrance.clone_from(&other);
    let (second, _) = Connection::plain(&services, Peer::default());
    let (kind, hears) = (NamespaceKind::Plain, Hears::Unlogged);
    let entering = Entrance { kind, claims: &claims, socket: Arc::clone(&socket), hears, kept: Some(&kept) };
    assert!(enter(&second, entering, |_, _| {}).await.is_ok());
    assert_eq!(services.hub.find(&socket).len(), 2);
    let current = [services.recovery.is_current(&socket).await, services.recovery.is_current(&other).await];
    assert_eq!(current, [false, true]);

    first.close(Ending::TakenOver);
    assert!(services.hub.begin_catch_up(&socket, None).is_none());
    services.hub.give_up_catch_up(&socket);
    let is_held_back = |member: &mut Member| matches!(member.hears, Hears::Unlogged);
    assert_eq!(services.hub.with_member(&other, is_held_back), Some(true));
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn a_session_that_ended_while_its_socket_entered_is_refused() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    state.platform.tokens().revocations.end_session(claims.sid.unwrap(), EndReason::Logout);
    let (connection, socket, entered) = enter_plain(&services, &claims, Hears::Everything).await;
    assert!(entered.is_none() && services.hub.find(&socket).is_empty());
    assert_eq!(connection.with_client(|client| client.sockets().count()), 0);
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn a_new_token_does_not_move_a_socket_back_to_a_former_account_s78() {
    let (state, user) = (start(), Uuid::now_v7());
    let (services, old) = (state.worker().services, claims(user));
    let (_connection, socket, _) = enter_plain(&services, &old, Hears::Everything).await;
    let (role, account_id) = (Role::Viewer, Some("new".into()));
    let change = UserChange { role, account_id, is_active: true, generation: 2 };
    state.platform.tokens().revocations.update_user(user.to_string(), change);
    services.hub.replace_claims(&socket, &old);
    let is_in = |room| services.hub.with_member(&socket, |member| member.is_in(room)).unwrap();
    assert_eq!((is_in("account:old"), is_in("account:new")), (false, true));
    state.platform.lifecycle().stop.cancel();
}

#[actix_web::test]
async fn an_account_that_changes_while_a_socket_enters_is_not_lost_s78() {
    let (state, user) = (start(), Uuid::now_v7());
    let verified = claims(user);
    let worker = state.worker();
    let (role, account_id) = (Role::Viewer, Some("new".into()));
    let change = UserChange { role, account_id, is_active: true, generation: 2 };
    state.platform.tokens().revocations.update_user(user.to_string(), change);

    let (connection, socket) = (Connection::plain(&worker.services, Peer::default()).0, random_id());
    let (kind, hears, kept) = (NamespaceKind::Plain, Hears::Everything, None);
    let entering = Entrance { kind, claims: &verified, socket: Arc::clone(&socket), hears, kept };
    let mut account = None;
    let entered =
        enter(&connection, entering, |_, member| account.clone_from(&member.owner.account_id)).await;
    assert!(entered.is_ok());
    assert_eq!(account.as_deref(), Some("new"), "known before the socket is in any room");
    let is_in = |room| worker.services.hub.with_member(&socket, |member| member.is_in(room)).unwrap();
    assert_eq!((is_in("account:old"), is_in("account:new")), (false, true));
    state.platform.lifecycle().stop.cancel();
}
