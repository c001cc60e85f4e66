//! Sockets that enter, without a server.

use std::sync::Arc;

use backplane::Position;
use clap::Parser;
use contracts::{Claims, Clock, Holder, Role};
use identity::UserChange;
use platform::Platform;
use uuid::Uuid;

use super::connection::{Connection, Services};
use super::enter::{Entrance, enter};
use super::replay::keep_written;
use crate::admission::Peer;
use crate::hub::Hears;
use crate::protocol::NamespaceKind;
use crate::random_id::random_id;
use crate::{Config, State, run_background};

/// A gateway without a server.
pub(super) fn start() -> State {
    let state = connect("memory:", &[]);
    let stop = state.platform.served.clone();
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
async fn a_socket_does_not_enter_under_an_id_that_is_present() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (first, socket, _) = enter_plain(&services, &claims, Hears::Everything).await;
    let (second, _) = Connection::plain(&services, Peer::default());
    let entrance = Entrance {
        kind: NamespaceKind::Plain,
        claims: &claims,
        socket: Arc::clone(&socket),
        hears: Hears::Everything,
        kept: None,
    };
    assert!(enter(&second, entrance, |_, _| panic!("a socket was let in twice")).await.is_err());
    let present = services.hub.find(&socket).unwrap().subscriber;
    assert!(std::ptr::eq(present.outbound(), &raw const first.outbound));
    state.platform.stop.cancel();
}

#[actix_web::test]
async fn of_several_clients_one_gets_the_kept_state() {
    let (state, claims) = (start(), claims(Uuid::now_v7()));
    let services = state.worker().services;
    let (connection, socket, _) = enter_plain(&services, &claims, Hears::Everything).await;
    keep_written(&connection, &socket).await;
    let recovery = &services.recovery;
    assert!(recovery.take(&socket, |_| false).await.is_none(), "another client");
    let (one, other) = tokio::join!(recovery.take(&socket, |_| true), recovery.take(&socket, |_| true));
    assert_eq!([one, other].iter().flatten().count(), 1);
    state.platform.stop.cancel();
}

#[actix_web::test]
async fn an_account_that_changes_while_a_socket_enters_is_not_lost_s78() {
    let (state, user) = (start(), Uuid::now_v7());
    let verified = claims(user);
    let worker = state.worker();
    let (role, account_id) = (Role::Viewer, Some("new".into()));
    let change = UserChange { role, account_id, is_active: true, generation: 2 };
    state.platform.revocations.update_user(user, change);

    let (_connection, socket, entered) = enter_plain(&worker.services, &verified, Hears::Everything).await;
    assert!(entered.is_some());
    let is_in = |room| worker.services.hub.with_member(&socket, |member| member.is_in(room)).unwrap();
    assert_eq!((is_in("account:old"), is_in("account:new")), (false, true));
    state.platform.stop.cancel();
}
