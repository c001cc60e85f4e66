//! A client that resumes while its old socket is still open on a replica that does not hear of it.

use std::sync::Arc;

use contracts::Claims;
use rstest::rstest;
use serde_json::{Map, Value, json};
use testing::{PrivateRedis, Proxy, eventually};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::connection::{Connection, Services};
use super::enter::{Entrance, enter};
use super::enter_tests::{claims, connect};
use super::recover::recover_stock_client;
use super::replay::keep_written;
use crate::admission::Peer;
use crate::hub::{Hears, Subscriber};
use crate::protocol::engineio::Transport;
use crate::protocol::{Ending, NamespaceKind};
use crate::random_id::random_id;
use crate::recovery::{private_id, socket_of};
use crate::{State, run_background};

fn open(services: &Arc<Services>) -> Arc<Connection> {
    Connection::socket_io(services, Peer::default(), Transport::WebSocket).0
}

/// Starts two replicas. Once the token of the first one is cancelled, it no longer receives messages of the other.
async fn start_two(redis: &PrivateRedis, arguments: &[&str]) -> [(State, CancellationToken); 2] {
    start_at([&redis.url(), &redis.url()], arguments).await
}

async fn start_at(urls: [&str; 2], arguments: &[&str]) -> [(State, CancellationToken); 2] {
    let replicas = urls.map(|url| {
        let (state, stop) = (connect(url, arguments), CancellationToken::new());
        state.platform.spawn("ws-gateway", run_background(state.clone(), stop.clone()));
        (state, stop)
    });
    eventually("the connection to Redis", async || {
        replicas.iter().all(|(state, _)| state.platform.backplane().is_connected())
    })
    .await;
    replicas
}

/// Lets a socket in. Returns what its client sends to resume.
async fn enter_root(state: &State, claims: &Claims) -> (Arc<Connection>, Map<String, Value>) {
    let (kind, socket, services) = (NamespaceKind::Root, random_id(), state.worker().services);
    let connection = open(&services);
    let (hears, mut auth) = (Hears::Everything, None);
    let entrance = Entrance { kind, claims, socket: Arc::clone(&socket), hears, kept: None };
    let entered = enter(&connection, entrance, |position, member| {
        let private_id = private_id(&socket, &member.secret);
        auth = Some(json!({ "pid": private_id, "offset": position.to_string() }));
    })
    .await;
    let Some(Value::Object(auth)) = entered.ok().and(auth) else { panic!("the socket is not let in") };
    keep_written(&connection, &socket).await.unwrap();
    (connection, auth)
}

#[actix_web::test]
async fn a_socket_that_resumes_takes_the_slot_of_its_old_entrance_and_keeps_its_own() {
    let (redis, claims) = (PrivateRedis::start(), claims(Uuid::now_v7()));
    let [(old, old_stop), (new, new_stop)] = start_two(&redis, &["--gateway-sockets-per-user", "1"]).await;
    let (half_open, auth) = enter_root(&old, &claims).await;

    // All replicas confirm that the slot is held. They are not asked again within seconds.
    let quotas = &new.admission.quotas;
    assert!(quotas.take(&claims.user_id, &Peer::default(), &random_id()).await.is_err());
    let key = format!("ws:user:{}", claims.user_id);
    let holders = async || new.platform.backplane().keys.holders(&key).await.unwrap().len();
    eventually("the slot of the refused socket to be free", async || holders().await == 1).await;
    old_stop.cancel();
    let back = open(&new.worker().services);
    assert!(matches!(recover_stock_client(&back, NamespaceKind::Root, &claims, &auth).await, Ok(true)));

    half_open.close(Ending::Lost);
    new_stop.cancel();
    for state in [&old, &new] {
        state.writer.run(new_stop.clone()).await;
    }
    assert_eq!(holders().await, 1, "the new entrance has a slot");
    [old, new].iter().for_each(|state| state.platform.lifecycle().stop.cancel());
}

#[rstest]
#[case::at_one_worker(0)]
#[case::at_two_replicas(1)]
#[actix_web::test]
async fn of_two_clients_that_resume_at_once_one_stays(#[case] second: usize) {
    let (redis, claims) = (PrivateRedis::start(), claims(Uuid::now_v7()));
    let [(one, stop), (other, _)] = start_two(&redis, &[]).await;
    let (old, auth) = enter_root(&one, &claims).await;
    old.close(Ending::Lost);
    // The first replica does not hear that the second one takes over.
    stop.cancel();
    let clients = [&one, [&one, &other][second]].map(|state| open(&state.worker().services));
    let recover = |client| recover_stock_client(client, NamespaceKind::Root, &claims, &auth);
    let results = tokio::join!(recover(&clients[0]), recover(&clients[1]));
    let recovered = [results.0, results.1].iter().filter(|result| matches!(result, Ok(true))).count();
    let closed = clients.iter().filter(|client| client.outbound.is_closing()).count();
    assert_eq!((recovered, closed), (1, 1));
    [one, other].iter().for_each(|state| state.platform.lifecycle().stop.cancel());
}

#[actix_web::test]
async fn a_replica_that_missed_a_take_over_closes_the_socket_and_leaves_the_state_of_its_successor() {
    let (redis, claims) = (PrivateRedis::start(), claims(Uuid::now_v7()));
    let line = Proxy::start(redis.address()).await;
    let urls = [redis.url().replace(&redis.address().to_string(), &line.address().to_string()), redis.url()];
    let [(old, _), (new, _)] = start_at([&urls[0], &urls[1]], &[]).await;
    let (half_open, auth) = enter_root(&old, &claims).await;
    line.cut();
    let services = new.worker().services;
    let back = open(&services);
    assert!(matches!(recover_stock_client(&back, NamespaceKind::Root, &claims, &auth).await, Ok(true)));
    let entrance = back.with_client(|client| client.sockets().next().cloned()).unwrap();
    services.hub.subscribe(&entrance, "alerts");
    keep_written(&back, &entrance).await.unwrap();

    line.resume();
    eventually("the old socket to be closed", async || half_open.outbound.is_closing()).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    old.writer.run(stopped).await;
    let kept = new.recovery.take_over(socket_of(&entrance), "next", |_| true).await.unwrap();
    assert_eq!((&*kept.entrance, kept.rooms), (&*entrance, vec!["alerts".to_owned()]));
    [old, new].iter().for_each(|state| state.platform.lifecycle().stop.cancel());
}
