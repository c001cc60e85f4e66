//! A client that resumes while its old socket is still open on a replica that does not hear of it.

use std::sync::Arc;

use serde_json::{Value, json};
use testing::{PrivateRedis, eventually};
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
use crate::recovery::private_id;
use crate::{State, run_background};

fn open(services: &Arc<Services>) -> Arc<Connection> {
    Connection::socket_io(services, Peer::default(), Transport::WebSocket).0
}

#[actix_web::test]
async fn a_socket_that_resumes_takes_the_slot_of_its_old_entrance_and_keeps_its_own() {
    let redis = PrivateRedis::start();
    let [old, new] = [(), ()].map(|()| connect(&redis.url(), &["--gateway-sockets-per-user", "1"]));
    let stops = [&old, &new].map(|state| {
        let stop = CancellationToken::new();
        state.platform.spawn("ws-gateway", run_background(state.clone(), stop.clone()));
        stop
    });
    let is_connected = |state: &State| state.platform.backplane.is_connected();
    eventually("the connection to Redis", async || [&old, &new].into_iter().all(is_connected)).await;
    let claims = claims(Uuid::now_v7());
    let (kind, socket, services) = (NamespaceKind::Root, random_id(), old.worker().services);
    let half_open = open(&services);
    let (hears, mut auth) = (Hears::Everything, None);
    let entrance = Entrance { kind, claims: &claims, socket: Arc::clone(&socket), hears, kept: None };
    let entered = enter(&half_open, entrance, |position, member| {
        let private_id = private_id(&socket, &member.secret);
        auth = Some(json!({ "pid": private_id, "offset": position.to_string() }));
    })
    .await;
    let Some(Value::Object(auth)) = entered.ok().and(auth) else { panic!("the first socket is not let in") };
    keep_written(&half_open, &socket).await;

    // All replicas confirm that the slot is held. They are not asked again within seconds.
    let quotas = &new.admission.quotas;
    assert!(quotas.take(&claims.user_id, &Peer::default(), &random_id()).await.is_err());
    let holders =
        async || new.platform.backplane.holders(&format!("ws:user:{}", claims.user_id)).await.unwrap();
    eventually("the slot of the refused socket to be free", async || holders().await.len() == 1).await;
    stops[0].cancel();
    let back = open(&new.worker().services);
    assert!(matches!(recover_stock_client(&back, kind, &claims, &auth).await, Ok(true)));

    half_open.close(Ending::Lost);
    stops[1].cancel();
    for state in [&old, &new] {
        state.writer.run(stops[0].clone()).await;
    }
    assert_eq!(holders().await.len(), 1, "the new entrance has a slot");
    [old, new].iter().for_each(|state| state.platform.stop.cancel());
}
