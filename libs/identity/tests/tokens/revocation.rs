use std::time::Duration;

use backplane::{Backplane, Entry, Options};
use contracts::Tasks;
use contracts::events::auth::{EndReason, SessionDeleted, UserUpdated};
use identity::{Change, session_mark};
use rstest::rstest;
use testing::{Backend, Stores};
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;

use super::*;

pub(crate) struct Following {
    pub(crate) world: World,
    pub(crate) stores: Stores,
    pub(crate) backplane: Backplane,
    stop: CancellationToken,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn options(clock: &Clock) -> Options {
    Options::new(clock.clone(), Tasks::new(CancellationToken::new()))
}

async fn next(changes: &mut Receiver<Change>) -> Change {
    tokio::time::timeout(testing::LIMIT, changes.recv()).await.unwrap().unwrap()
}

async fn following(backend: Backend) -> Following {
    following_with(backend, &["--jwt-access-secret", SECRET]).await
}

pub(crate) async fn following_with(backend: Backend, arguments: &[&str]) -> Following {
    let (world, stores, stop) = (world(arguments), backend.start().await, CancellationToken::new());
    let backplane = Backplane::connect(&stores.redis_url(), options(&world.clock)).unwrap();
    tokio::spawn(world.follower().run(backplane.clone(), stop.clone()));
    world.revocations.synced().await;
    // Before that, an append only learns which log there is.
    testing::eventually("the connection", async || backplane.is_connected()).await;
    Following { world, stores, backplane, stop }
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_token_of_an_ended_session_is_refused_s25(#[case] backend: Backend) {
    let Following { world, backplane, .. } = &following(backend).await;
    let mut changes = world.revocations.changes();
    let claims = claims(&world.clock);
    let token = world.keys.sign(&claims).unwrap();
    assert!(world.verifier.verify(&token).is_ok());
    let (user_id, session_id) = (claims.sub.parse().unwrap(), claims.sid.unwrap());
    let event = SessionDeleted { user_id, session_id, reason: EndReason::Evicted };
    backplane.log.append(&[Entry::of(event, &world.clock).unwrap()]).await.unwrap();
    let ended = Change::SessionEnded { session: session_id, reason: EndReason::Evicted };
    assert_eq!(next(&mut changes).await, ended);
    assert_eq!(world.verifier.verify(&token), Err(TokenError::Revoked { reason: EndReason::Evicted }));
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_session_end_announced_by_another_back_end_without_the_log_counts(#[case] backend: Backend) {
    let Following { world, backplane, .. } = &following(backend).await;
    let mut changes = world.revocations.changes();
    let session = Uuid::new_v4();
    let other = Uuid::new_v4();
    let body = json!({"eventId": Uuid::new_v4(), "type": "auth:session.terminated", "timestamp": world.clock.now(),
        "payload": {"userId": "u", "sessionId": other, "targetSessionToken": session, "reason": "bye"}});
    backplane.log.broadcast("auth:session.terminated", &body.to_string()).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::SessionEnded { session, reason: EndReason::Admin });
    assert_eq!(world.revocations.ended(other), None);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_role_change_applies_to_earlier_tokens_s29(#[case] backend: Backend) {
    let Following { world, backplane, .. } = &following(backend).await;
    let mut changes = world.revocations.changes();
    let claims = claims(&world.clock);
    let token = world.keys.sign(&claims).unwrap();
    let update = |role, is_active, generation| UserUpdated {
        user_id: claims.sub.parse().unwrap(),
        role,
        is_active,
        generation,
        account_id: (generation == 2).then(|| "acme".into()),
    };
    let entry = |event| Entry::of(event, &world.clock).unwrap();
    backplane.log.append(&[entry(update(Role::Engineer, true, 2))]).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::UserChanged { user: claims.sub.clone() });
    let today = world.verifier.verify(&token).unwrap();
    assert_eq!((today.role, today.account_id.as_deref()), (Role::Engineer, Some("acme")));
    backplane
        .log
        .append(&[entry(update(Role::Engineer, false, 3)), entry(update(Role::Admin, true, 2))])
        .await
        .unwrap();
    next(&mut changes).await;
    let disabled = TokenError::Revoked { reason: EndReason::AccountDisabled };
    assert_eq!(world.verifier.verify(&token), Err(disabled));
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn marks_are_read_at_startup_and_when_they_change_s25(#[case] backend: Backend) {
    let Following { world, stores, backplane, .. } = &following(backend).await;
    let (early, late) = (Uuid::new_v4(), Uuid::new_v4());
    let until = world.clock.now() + chrono::TimeDelta::minutes(15);
    backplane.marks.add(&[session_mark(early, EndReason::Logout, until)]).await.unwrap();
    testing::eventually("it is known", async || world.revocations.ended(early).is_some()).await;
    if backend == Backend::Real {
        let second = hs256();
        let options = options(&second.clock);
        let elsewhere = Backplane::connect(&stores.redis_url(), options).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(second.follower().run(elsewhere, stop.clone()));
        second.revocations.synced().await;
        assert_eq!(second.revocations.ended(early), Some(EndReason::Logout));
        backplane.marks.add(&[session_mark(late, EndReason::Admin, until)]).await.unwrap();
        testing::eventually("it is known", async || second.revocations.ended(late).is_some()).await;
        stop.cancel();
    }
}

#[tokio::test]
async fn a_session_end_during_a_redis_outage_is_known_after_the_outage_s51() {
    let Following { world, stores, backplane, .. } = &following(Backend::Real).await;
    let writer = Backplane::connect(&stores.redis_url(), options(&world.clock)).unwrap();
    stores.redis().kill();
    testing::eventually("the loss is noticed", async || !backplane.is_connected()).await;
    stores.redis().restart();
    let session_id = Uuid::new_v4();
    let event = SessionDeleted { user_id: Uuid::new_v4(), session_id, reason: EndReason::Logout };
    let entry = Entry::of(event, &world.clock).unwrap();
    testing::eventually("redis is back", async || {
        writer.log.append(std::slice::from_ref(&entry)).await.is_ok()
    })
    .await;
    testing::eventually("the end is known", async || world.revocations.ended(session_id).is_some()).await;
}

#[tokio::test]
async fn following_stops_even_while_the_marks_cannot_be_read() {
    let Following { world, stores, backplane, stop } = &following(Backend::Real).await;
    let other = tokio::spawn(world.follower().run(backplane.clone(), stop.clone()));
    world.revocations.synced().await;
    stores.redis().kill();
    testing::eventually("the loss is noticed", async || !backplane.is_connected()).await;
    // The clock jumps ahead, so that the marks are read again.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(301)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.cancel();
    tokio::time::timeout(testing::LIMIT, other).await.expect("it ends").unwrap();
}
