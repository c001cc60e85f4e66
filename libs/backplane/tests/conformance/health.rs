//! The reported state of the backplane is true: up means that an append would succeed and be received.

use backplane::{Backplane, Link};
use testing::{Backend, Proxy};

use super::{World, begun, entry, next_name, options};

async fn set(world: &World, name: &str, value: &str) {
    let mut redis = world.stores.redis().connect().await;
    redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query_async::<()>(&mut redis).await.unwrap();
}

async fn becomes(backplane: &Backplane, reason: &str) {
    testing::eventually(
        reason,
        async || matches!(*backplane.link().borrow(), Link::Lost { reason: found, .. } if found == reason),
    )
    .await;
}

#[tokio::test]
async fn redis_without_memory_is_not_up_s70() {
    let world = World::start(Backend::Real).await;
    world.append(&["before"]).await;
    set(&world, "maxmemory", "1").await;
    becomes(&world.backplane, "Redis is out of memory").await;
    assert!(world.backplane.log.append(&[entry("refused")]).await.is_err());
    set(&world, "maxmemory", "0").await;
    testing::eventually("it is up", async || world.backplane.log.append(&[entry("taken")]).await.is_ok())
        .await;
    testing::eventually("it is up", async || world.backplane.is_connected()).await;
}

#[tokio::test]
async fn a_process_that_has_nothing_to_append_is_up_again_once_redis_has_memory_s70() {
    let world = World::start(Backend::Real).await;
    world.append(&["before"]).await;
    set(&world, "maxmemory", "1").await;
    assert!(world.backplane.log.append(&[entry("refused")]).await.is_err());
    becomes(&world.backplane, "Redis is out of memory").await;
    // Another replica publishes the event, so that this one does not append again.
    set(&world, "maxmemory", "0").await;
    testing::eventually("it is up", async || world.backplane.is_connected()).await;
}

#[tokio::test]
async fn redis_that_is_read_only_is_not_up_s70() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    let mut redis = world.stores.redis().connect().await;
    let replica_of = async |redis: &mut redis::aio::MultiplexedConnection, host: &str, port: &str| {
        redis::cmd("REPLICAOF").arg(host).arg(port).query_async::<()>(redis).await.unwrap();
    };
    replica_of(&mut redis, "127.0.0.1", "1").await;
    becomes(&world.backplane, "Redis is read-only").await;
    assert!(world.backplane.log.append(&[entry("refused")]).await.is_err());
    replica_of(&mut redis, "no", "one").await;
    testing::eventually("it is up", async || world.backplane.is_connected()).await;
    world.append(&["taken"]).await;
    assert_eq!(next_name(&mut feed).await, "taken");
}

#[tokio::test]
async fn redis_that_cannot_save_is_not_up_s70() {
    let world = World::start(Backend::Real).await;
    // A snapshot cannot be written where its file is a folder.
    std::fs::create_dir(world.stores.redis().folder().join("dump.rdb")).unwrap();
    set(&world, "save", "3600 1").await;
    let mut redis = world.stores.redis().connect().await;
    redis::cmd("BGSAVE").query_async::<()>(&mut redis).await.unwrap();
    becomes(&world.backplane, "Redis cannot save its data").await;
    assert!(world.backplane.log.append(&[entry("refused")]).await.is_err());
}

#[tokio::test]
async fn a_refused_append_is_reported_although_redis_accepts_other_writes_s70() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    let mut redis = world.stores.redis().connect().await;
    redis::cmd("ACL").arg("SETUSER").arg("default").arg("-xadd").query_async::<()>(&mut redis).await.unwrap();
    let refused = entry("refused at first");
    assert!(world.backplane.log.append(std::slice::from_ref(&refused)).await.is_err());
    becomes(&world.backplane, "Redis refuses writes").await;
    redis::cmd("ACL").arg("SETUSER").arg("default").arg("+@all").query_async::<()>(&mut redis).await.unwrap();
    world.backplane.log.append(&[refused]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "refused at first");
    assert!(world.backplane.is_connected());
}

#[tokio::test]
async fn an_append_that_times_out_does_not_hide_a_refusal_s70() {
    let world = World::start(Backend::Real).await;
    world.append(&["before"]).await;
    let mut redis = world.stores.redis().connect().await;
    redis::cmd("ACL").arg("SETUSER").arg("default").arg("-xadd").query_async::<()>(&mut redis).await.unwrap();
    assert!(world.backplane.log.append(&[entry("refused")]).await.is_err());
    becomes(&world.backplane, "Redis refuses writes").await;
    world.stores.redis().freeze();
    assert!(world.backplane.log.append(&[entry("too late")]).await.is_err());
    let link = *world.backplane.link().borrow();
    world.stores.redis().thaw();
    assert!(matches!(link, Link::Lost { reason: "Redis refuses writes", .. }), "{link:?}");
}

#[tokio::test]
async fn every_connection_follows_the_address_to_a_new_primary_s70() {
    let (old, new) = (World::start(Backend::Real).await, World::start(Backend::Real).await);
    let proxy = Proxy::start(old.stores.redis().address()).await;
    let url = format!("redis://{}", proxy.address());
    let moving = Backplane::connect(&url, options()).unwrap();
    testing::eventually("it is up", async || moving.is_connected()).await;
    assert_eq!(moving.keys.hit("key", std::time::Duration::from_secs(60)).await.unwrap(), 1);
    let mut feed = begun(&moving).await;
    // The state after a failover: connections to the old primary stay open, new ones lead to the new one.
    proxy.lead_to(new.stores.redis().address());
    let mut redis = old.stores.redis().connect().await;
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg("1").query_async::<()>(&mut redis).await.unwrap();
    super::next_reset(&mut feed).await;
    super::append(&moving, &[entry("new")]).await;
    assert_eq!(next_name(&mut feed).await, "new");
    assert_eq!(
        moving.keys.hit("key", std::time::Duration::from_secs(60)).await.unwrap(),
        1,
        "on the new primary"
    );
    testing::eventually("it is up", async || moving.is_connected()).await;
}
