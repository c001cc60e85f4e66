use std::time::Duration;

use backplane::{Hold, Put};
use rstest::rstest;
use testing::Backend;

use super::World;

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn hits_are_counted_per_key_until_their_window_closes(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let window = Duration::from_millis(300);
    assert_eq!(world.backplane.keys.hits("a").await.unwrap(), 0);
    for expected in 1..=3 {
        assert_eq!(world.backplane.keys.hit("a", Duration::from_secs(60)).await.unwrap(), expected);
    }
    assert_eq!(world.backplane.keys.hits("a").await.unwrap(), 3);
    assert_eq!(world.backplane.keys.hit("b", window).await.unwrap(), 1);
    testing::eventually("the window closes", async || world.backplane.keys.hits("b").await.unwrap() == 0)
        .await;
    assert_eq!(world.backplane.keys.hit("b", window).await.unwrap(), 1);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn values_are_kept_until_they_expire_and_taken_once(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let (plane, minute) = (&world.backplane, Duration::from_secs(60));
    let put =
        |key: &str, value: Option<&str>, ttl| Put { key: key.into(), value: value.map(Into::into), ttl };
    let brief = put("brief", Some("x"), Duration::from_millis(200));
    plane.keys.put(&[put("seat", Some("12a"), minute), put("gone", Some("y"), minute), brief]).await.unwrap();
    assert_eq!(plane.keys.get("seat").await.unwrap().as_deref(), Some("12a"));
    assert_eq!(plane.keys.take("seat").await.unwrap().as_deref(), Some("12a"));
    assert_eq!(plane.keys.take("seat").await.unwrap(), None);
    plane.keys.put(&[put("gone", None, minute)]).await.unwrap();
    assert_eq!(plane.keys.get("gone").await.unwrap(), None);
    testing::eventually("the value expires", async || plane.keys.get("brief").await.unwrap().is_none()).await;
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn holders_of_a_key_are_counted_until_released_or_expired(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let hold = |key: &str, holder: &str| Hold { key: key.into(), holder: holder.into() };
    let (plane, minute) = (&world.backplane, Duration::from_secs(60));
    let both = [hold("room", "ann"), hold("room", "bob"), hold("hall", "ann")];
    assert_eq!(plane.keys.hold(&both, minute).await.unwrap(), [1, 2, 1]);
    assert_eq!(
        plane.keys.hold(&both[..1], minute).await.unwrap(),
        [2],
        "a holder that holds again counts once"
    );
    let mut holders = plane.keys.holders("room").await.unwrap();
    holders.sort();
    assert_eq!(holders, ["ann", "bob"]);
    assert_eq!(plane.keys.holders("nowhere").await.unwrap(), [""; 0]);
    plane.keys.release(&both[1..2]).await.unwrap();
    assert_eq!(plane.keys.hold(&both[..1], Duration::from_millis(100)).await.unwrap(), [1]);
    testing::eventually("the hold expires", async || {
        plane.keys.hold(&[hold("room", "eve")], minute).await.unwrap() == [1]
    })
    .await;
}
