//! Clients that missed many events: how long they take to catch up, and whether others notice.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use testing::{Client, Method, Socket, StatusCode};
use uuid::Uuid;

use crate::Deployment;

/// Sample plans, named by the number of `drift:created` events of their ingest.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");

/// The times of a replay.
#[derive(Clone, Copy, Debug)]
pub struct Replay {
    /// Time from the request to resume until the last missed event, for the slowest client.
    pub slowest: Duration,
    /// Time from the request that caused an event until a connected client received it, while the others
    /// were catching up.
    pub live: Duration,
}

/// Subscribes `count` clients, disconnects them until they have missed 20 or 2,000 events, and lets all of
/// them reconnect to one gateway at once.
pub async fn replay(deployment: &Deployment, count: usize, missed: usize) -> Replay {
    let token = deployment.token("engineer").await;
    let drift = Client::new(deployment.drift[0].url()).with_token(&token);
    let url = format!("{}/ws", deployment.gateways[0].url().replace("http", "ws"));
    let bearer = format!("Bearer {token}");
    let connect = async || {
        let mut socket = Socket::connect_with(&url, &[("authorization", &bearer)]).await;
        let authorized = socket.next_event("connection.authorized").await;
        (socket, authorized["payload"].clone())
    };

    let mut places = Vec::new();
    for _ in 0..count {
        let (mut socket, place) = connect().await;
        subscribe(&mut socket).await;
        socket.close().await;
        places.push(place);
    }
    ingest(&drift, missed).await;

    let (mut witness, _) = connect().await;
    subscribe(&mut witness).await;
    let mut returned = Vec::new();
    for _ in 0..count {
        returned.push(connect().await.0);
    }
    let started = Instant::now();
    let catching_up =
        join_all(returned.iter_mut().zip(&places).map(|(socket, place)| catch_up(socket, place, missed)));
    let live = async {
        let started = Instant::now();
        let id = report(&drift).await;
        while witness.next_event("drift:created").await["payload"]["id"] != id {}
        started.elapsed()
    };
    let (_, live) = tokio::join!(catching_up, live);
    Replay { slowest: started.elapsed(), live }
}

async fn subscribe(socket: &mut Socket) {
    socket.send(&json!({"type": "subscribe", "room": "drifts", "id": 1})).await;
    assert_eq!(socket.next_event("ack").await["success"], true);
}

/// Asks for the missed events and waits for the last one.
async fn catch_up(socket: &mut Socket, place: &Value, missed: usize) {
    let (epoch, seq, socket_id) = (&place["epoch"], &place["seq"], &place["sessionId"]);
    socket.send(&json!({"type": "resume", "epoch": epoch, "seq": seq, "sessionId": socket_id})).await;
    for _ in 0..missed {
        socket.next_event("drift:created").await;
    }
}

async fn ingest(drift: &Client, count: usize) {
    let plan = Path::new(SAMPLES).join(format!("fakeaws_{count}/scan1.plan.json.gz"));
    let plan = std::fs::read(plan).expect("the sample is there");
    let stack = Uuid::new_v4();
    let request = drift.request(Method::POST, &format!("/api/v1/drifts/ingest?stack={stack}"));
    let request = request.header("content-type", "application/gzip").body(plan);
    let report = drift.send(request).await.expect(StatusCode::OK);
    assert_eq!(report["data"]["created"], count);
}

async fn report(drift: &Client) -> String {
    let body = json!({"resourceId": Uuid::new_v4(), "resourceType": "aws_instance", "region": "eu-west-1",
        "severity": "warning", "stack": "replay"});
    let answer = drift.post("/api/v1/drifts", &body).await.expect(StatusCode::CREATED);
    answer["data"]["id"].as_str().expect("an id").to_owned()
}
