//! Tokens, quotas and the message rate, without a socket.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use backplane::Hold;
use clap::Parser;
use contracts::{Claims, Clock, Holder, Role};
use platform::Platform;
use serde_json::json;
use testing::{PrivateRedis, Proxy};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Peer, Taking};
use crate::cluster::Question;
use crate::protocol::{Refusal, RefusalCode};
use crate::{Config, State, run_background};

const SETTINGS: [&str; 9] = [
    "ws-gateway",
    "--redis-url",
    "memory:",
    "--jwt-access-secret",
    "of a test",
    "--gateway-sockets-per-user",
    "2",
    "--gateway-sockets-per-ip",
    "3",
];

fn start() -> State {
    start_at("memory:")
}

fn start_at(redis: &str) -> State {
    let Config { process, keys, settings, .. } = Config::parse_from(SETTINGS);
    let channels = settings.channels().unwrap();
    let platform = Platform::connect("admission", process, &keys, redis, channels, Clock::system()).unwrap();
    State::connect(platform, settings).unwrap()
}

fn claims(user: &str, session: Uuid, life: i64) -> Claims {
    let holder = Holder {
        subject: user.into(),
        email: "someone@example.com".into(),
        role: Role::Viewer,
        account_id: None,
        generation: 0,
        session,
    };
    let now = Clock::system().now();
    Claims::access(holder, now, now + chrono::TimeDelta::seconds(life))
}

fn token(state: &State, user: &str, session: Uuid, life: i64) -> String {
    state.platform.tokens().keys.sign(&claims(user, session, life)).unwrap()
}

fn peer(last: u8) -> Peer {
    Peer { ip: Some(IpAddr::from(Ipv4Addr::new(10, 0, 0, last))), ..Peer::default() }
}

fn code<T>(result: Result<T, Refusal>) -> Option<RefusalCode> {
    result.err().map(|refusal| refusal.code)
}

/// Writes the released slots.
async fn flush(state: &State) {
    let stopped = CancellationToken::new();
    stopped.cancel();
    state.writer.run(stopped).await;
}

#[tokio::test]
async fn a_guess_counts_and_a_verified_token_passes() {
    let (state, address, session) = (start(), peer(1), Uuid::now_v7());
    let good = token(&state, "u", session, 900);
    let authorize =
        async |token: Option<String>| code(state.admission.authorize(&address, token.as_deref()).await);
    assert_eq!(authorize(Some(good.clone())).await, None);
    assert_eq!(authorize(None).await, Some(RefusalCode::MissingToken));
    let expired = token(&state, "u", session, -60);
    assert_eq!(authorize(Some(expired)).await, Some(RefusalCode::TokenExpired));
    for _ in 0..5 {
        assert_eq!(authorize(Some("guess".into())).await, Some(RefusalCode::InvalidToken));
    }
    assert_eq!(authorize(Some("guess".into())).await, Some(RefusalCode::RateLimited));
    assert_eq!(authorize(None).await, Some(RefusalCode::RateLimited));
    assert_eq!(authorize(Some(good)).await, None);
}

#[tokio::test]
async fn a_token_is_replaced_by_one_of_the_same_user_and_session() {
    let (state, address, own) = (start(), peer(1), Uuid::now_v7());
    for (user, session, expected) in [
        ("u", own, None),
        ("u", Uuid::now_v7(), Some(RefusalCode::AuthFailed)),
        ("other", own, Some(RefusalCode::AuthFailed)),
    ] {
        let new = token(&state, user, session, 900);
        assert_eq!(code(state.admission.reauthorize(&address, "u", Some(own), &new).await), expected);
    }
    let empty = state.admission.reauthorize(&address, "u", Some(own), "").await;
    assert_eq!(code(empty), Some(RefusalCode::MissingToken));
}

#[tokio::test]
async fn slots_are_taken_up_to_the_quota_and_are_free_after_the_release() {
    let state = start();
    let (quotas, sockets) = (&state.admission.quotas, ["a", "b", "c", "d", "e"].map(Arc::<str>::from));
    let take = async |user: &str, last, socket: usize| {
        code(quotas.take(user, &peer(last), &sockets[socket]).await.map(Taking::keep))
    };
    assert_eq!((take("u", 1, 0).await, take("u", 1, 1).await), (None, None));
    assert_eq!(take("u", 2, 2).await, Some(RefusalCode::RateLimited));
    quotas.release("u", &peer(1), &sockets[0]);
    flush(&state).await;
    assert_eq!(take("u", 1, 2).await, None);
    // The limit is three sockets per address, even if the users differ.
    assert_eq!((take("v", 1, 3).await, take("w", 1, 4).await), (None, Some(RefusalCode::RateLimited)));
}

#[tokio::test]
async fn a_refused_socket_and_one_that_gives_up_hold_no_slot() {
    let state = start();
    let quotas = &state.admission.quotas;
    let sockets = ["a", "b", "c"].map(Arc::<str>::from);
    for socket in &sockets[..2] {
        assert_eq!(code(quotas.take("u", &peer(1), socket).await.map(Taking::keep)), None);
    }
    // Beyond the quota, a recount asks the other replicas first, which takes a second.
    let address = peer(1);
    let third = quotas.take("u", &address, &sockets[2]);
    assert!(tokio::time::timeout(Duration::from_millis(20), third).await.is_err());
    assert_eq!(code(quotas.take("u", &peer(1), &sockets[2]).await), Some(RefusalCode::RateLimited));
    flush(&state).await;
    let holders = state.platform.backplane().keys.holders("ws:user:u").await.unwrap();
    assert_eq!(holders.len(), 2, "{holders:?}");
}

#[tokio::test]
async fn slots_that_a_dead_replica_left_behind_are_free_after_a_recount() {
    let state = start();
    let stop = CancellationToken::new();
    state.platform.spawn("ws-gateway", run_background(state.clone(), stop.clone()));
    testing::eventually("the replica to hear itself", async || {
        !state.cluster.ask::<serde_json::Value>(Question::Stats).await.partial
    })
    .await;
    let (address, slot) = (peer(1), Arc::from("new"));
    let holds = ["ws:user:u".to_owned(), format!("ws:ip:{}", address.network())]
        .map(|key| (0..9).map(move |number| Hold { key: key.clone(), holder: format!("dead {number}") }));
    let holds: Vec<Hold> = holds.into_iter().flatten().collect();
    state.platform.backplane().keys.hold(&holds, Duration::from_secs(90)).await.unwrap();
    assert_eq!(code(state.admission.quotas.take("u", &address, &slot).await), None);
    stop.cancel();
}

#[tokio::test]
async fn a_replica_that_hears_nothing_releases_no_slot_of_others() {
    let state = start();
    let holds: Vec<Hold> = (0..2)
        .map(|number| Hold { key: "ws:user:u".into(), holder: format!("elsewhere {number}") })
        .collect();
    state.platform.backplane().keys.hold(&holds, Duration::from_secs(90)).await.unwrap();
    let refused = code(state.admission.quotas.take("u", &peer(1), &Arc::from("new")).await);
    assert_eq!(refused, Some(RefusalCode::RateLimited));
    let holders = state.platform.backplane().keys.holders("ws:user:u").await.unwrap();
    assert!(holds.iter().all(|hold| holders.contains(&hold.holder)), "{holders:?}");
}

#[tokio::test]
async fn a_replica_that_is_silent_keeps_its_slots_until_it_is_dead() {
    let redis = PrivateRedis::start();
    let (state, stop) = (start_at(&redis.url()), CancellationToken::new());
    state.platform.spawn("ws-gateway", run_background(state.clone(), stop.clone()));
    let answers = async || state.cluster.ask::<serde_json::Value>(Question::Stats).await;
    testing::eventually("the replica to hear itself", async || !answers().await.partial).await;
    // Another replica that receives questions, but does not answer.
    let mut silent = redis.pubsub().await;
    silent.subscribe("gateway:control").await.unwrap();
    let alive = json!({
        "eventId": Uuid::now_v7(), "type": "gateway:control", "timestamp": Clock::system().now(),
        "payload": { "kind": "alive", "replica": Uuid::new_v4(), "new": false },
    });
    let backplane = state.platform.backplane();
    assert_eq!(backplane.log.broadcast("gateway:control", &alive.to_string()).await.unwrap(), 2);
    testing::eventually("the other replica to be known", async || answers().await.partial).await;

    let holders = async |user| backplane.keys.holders(&format!("ws:user:{user}")).await.unwrap();
    let take = async |user, slot| {
        let holds =
            ["held", "too"].map(|holder| Hold { key: format!("ws:user:{user}"), holder: holder.into() });
        backplane.keys.hold(&holds, Duration::from_secs(90)).await.unwrap();
        code(state.admission.quotas.take(user, &peer(1), &Arc::from(slot)).await.map(Taking::keep))
    };
    assert_eq!(take("u", "new").await, Some(RefusalCode::RateLimited));
    assert!(holders("u").await.iter().filter(|holder| ["held", "too"].contains(&&***holder)).count() == 2);
    drop(silent);
    assert_eq!(take("v", "newer").await, None);
    assert_eq!(holders("v").await, ["newer"]);
    stop.cancel();
}

#[tokio::test]
async fn a_replica_takes_its_slots_again_as_soon_as_it_is_connected_again() {
    let (redis, stop) = (PrivateRedis::start(), CancellationToken::new());
    let line = Proxy::start(redis.address()).await;
    let [direct, cut] = [redis.address(), line.address()].map(|address| address.to_string());
    let [state, other] = [redis.url().replace(&direct, &cut), redis.url()].map(|url| start_at(&url));
    state.platform.spawn("ws-gateway", run_background(state.clone(), stop.clone()));
    let (backplane, slot) = (other.platform.backplane(), Arc::from("open"));
    let holders = async || backplane.keys.holders("ws:user:u").await.unwrap();
    testing::eventually("Redis", async || state.platform.backplane().is_connected()).await;
    assert_eq!(code(state.admission.quotas.take("u", &peer(1), &slot).await.map(Taking::keep)), None);
    line.cut();
    backplane.keys.release(&[Hold { key: "ws:user:u".into(), holder: "open".into() }]).await.unwrap();
    assert_eq!(holders().await, [""; 0]);
    line.resume();
    testing::eventually("the slot", async || holders().await == ["open"]).await;
    stop.cancel();
}

#[tokio::test]
async fn without_the_backplane_the_sockets_of_this_replica_are_counted() {
    let redis = PrivateRedis::start();
    redis.kill();
    let state = start_at(&redis.url());
    let slots = ["a", "b", "c"].map(Arc::<str>::from);
    let take = async |slot| code(state.admission.quotas.take("u", &peer(1), slot).await.map(Taking::keep));
    assert_eq!((take(&slots[0]).await, take(&slots[1]).await), (None, None));
    assert_eq!(take(&slots[2]).await, Some(RefusalCode::RateLimited));
}

#[tokio::test]
async fn messages_of_a_user_are_counted_in_a_window() {
    let state = start();
    for _ in 0..10 {
        assert!(state.admission.count_message("u").await);
    }
    assert!(!state.admission.count_message("u").await);
    assert!(state.admission.count_message("v").await);
}
