//! What happens between the check of a token and the join of the rooms.

use clap::Parser;
use contracts::{Claims, Clock, Holder, Role};
use identity::UserChange;
use uuid::Uuid;
use web::Platform;

use super::connection::Connection;
use super::enter::{Entrance, enter};
use crate::admission::Peer;
use crate::hub::Hears;
use crate::protocol::NamespaceKind;
use crate::{Config, State, run_background};

/// A gateway without a server.
fn start() -> State {
    let arguments = ["ws-gateway", "--redis-url", "memory:", "--jwt-access-secret", "of a test"];
    let Config { http, keys, settings, .. } = Config::parse_from(arguments);
    let platform = Platform::connect("entering", http, &keys, "memory:", vec![], Clock::system()).unwrap();
    let state = State::connect(platform.clone(), settings).unwrap();
    platform.spawn("ws-gateway", run_background(state.clone(), platform.served.clone()));
    state
}

fn claims(user: Uuid) -> Claims {
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

#[actix_web::test]
async fn an_account_that_changes_while_a_socket_enters_is_not_lost_s78() {
    let (state, user) = (start(), Uuid::now_v7());
    let verified = claims(user);
    let worker = state.worker();
    let (role, account_id) = (Role::Viewer, Some("new".into()));
    let change = UserChange { role, account_id, is_active: true, generation: 2 };
    state.platform.revocations.update_user(user, change);

    let (connection, _) = Connection::plain(&worker.services, Peer::default());
    let kind = NamespaceKind::Plain;
    let socket = crate::random_id::random_id();
    let entrance =
        Entrance { kind, claims: &verified, socket: socket.clone(), hears: Hears::Everything, secret: None };
    assert!(enter(&connection, entrance, |_, _| {}).await.is_ok());
    let is_in = |room| worker.services.hub.with_member(&socket, |member| member.is_in(room)).unwrap();
    assert_eq!((is_in("account:old"), is_in("account:new")), (false, true));
    state.platform.stop.cancel();
}
