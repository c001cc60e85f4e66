//! Nothing is lost although notify-service, Redis and PostgreSQL are killed again and again.

use std::collections::HashMap;

use actix_web::HttpResponse;
use backplane::Entry;
use chrono::TimeDelta;
use contracts::drift::Severity;
use contracts::{Claims, Clock, Holder, Role};
use platform::Platform;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};
use testing::{Client, PrivatePostgres, PrivateRedis, Process, binary, eventually, free_port};
use uuid::Uuid;

use crate::app::{DESTINATIONS, platform_on};
use crate::events::updated;
use crate::inbox::Receiver;

const EVENTS: usize = 10_000;
const DRIFTS: usize = 200;
const BATCH: usize = 50;
const KILLS: usize = 20;

/// The service as a process of its own, and its servers.
struct World {
    postgres: PrivatePostgres,
    redis: PrivateRedis,
    /// Publishes the events, and signs the tokens.
    publisher: Platform,
    port: u16,
    service: Process,
}

impl World {
    async fn start() -> Self {
        let (postgres, redis, port) = (PrivatePostgres::start(), PrivateRedis::start(), free_port());
        // The tests' servers do not wait for the disk; what was committed here must survive a crash.
        let db = Database::connect(postgres.url_at("127.0.0.1", "")).await.unwrap();
        db.execute_unprepared("ALTER DATABASE postgres SET synchronous_commit TO on").await.unwrap();
        db.close().await.unwrap();
        let publisher = platform_on(&redis.url(), Clock::system()).await;
        let service = spawn(&postgres, &redis, port);
        let mut world = Self { postgres, redis, publisher, port, service };
        world.service.wait_until_ready(&world.base()).await;
        world
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn admin(&self) -> Client {
        let now = self.publisher.clock().now();
        let holder = Holder {
            subject: Uuid::new_v4().to_string(),
            email: "admin@example.com".into(),
            role: Role::Admin,
            account_id: None,
            generation: 1,
            session: Uuid::new_v4(),
        };
        let claims = Claims::access(holder, now, now + TimeDelta::hours(1));
        Client::new(self.base()).with_token(&self.publisher.tokens().keys.sign(&claims).unwrap())
    }

    async fn webhook(&self, receiver: &Receiver) {
        let body = json!({"name": "Test", "target": {"kind": "webhook", "url": receiver.url()}});
        self.admin().post(DESTINATIONS, &body).await.data();
    }

    /// As a relay: again until it is known that the events are published.
    async fn publish(&self, entries: &[Entry]) {
        let log = &self.publisher.backplane().log;
        eventually("the events are published", async || log.append(entries).await.is_ok()).await;
    }

    /// Kills notify-service, every fifth time Redis with it, and every fifth time PostgreSQL.
    async fn kill(&mut self, number: usize) {
        self.service.kill();
        match number % 5 {
            2 => self.redis.restart(),
            4 => self.crash_postgres().await,
            _ => {}
        }
        self.service = spawn(&self.postgres, &self.redis, self.port);
    }

    /// Kills a process of PostgreSQL, which makes it end all others and recover.
    async fn crash_postgres(&self) {
        let db = Database::connect(self.postgres.url_at("127.0.0.1", "")).await.unwrap();
        let pid = async || {
            let pid = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid() AS pid");
            db.query_one_raw(pid).await.ok()??.try_get::<i32>("", "pid").ok()
        };
        let before = pid().await.unwrap();
        let process = rustix::process::Pid::from_raw(before).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        eventually("PostgreSQL has recovered", async || pid().await.is_some_and(|pid| pid != before)).await;
    }
}

fn spawn(postgres: &PrivatePostgres, redis: &PrivateRedis, port: u16) -> Process {
    let environment = [
        ("NODE_ENV", "development".to_owned()),
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
        ("DATABASE_URL", postgres.url_at("127.0.0.1", "")),
        ("REDIS_URL", redis.url()),
        ("JWT_ACCESS_SECRET", "an access secret of the tests".to_owned()),
        ("ALLOW_PRIVATE_WEBHOOKS", "true".to_owned()),
        ("NOTIFY_TIMEOUT", "1s".to_owned()),
        ("NOTIFY_SECRET", "a secret of the tests".to_owned()),
        ("WORKERS", "1".to_owned()),
    ];
    Process::spawn(&binary("notify-service"), &[], environment)
}

#[actix_web::test]
async fn every_event_arrives_in_order_through_twenty_kills() {
    let mut world = World::start().await;
    let healthy = Receiver::start();
    // One request in 97 fails.
    let flaky = Receiver::answering(|before, _| match before % 97 {
        96 => HttpResponse::InternalServerError().finish(),
        _ => HttpResponse::Ok().finish(),
    });
    world.webhook(&healthy).await;
    world.webhook(&flaky).await;

    let drifts: Vec<Uuid> = (0..DRIFTS).map(|_| Uuid::now_v7()).collect();
    let versions = i32::try_from(EVENTS / DRIFTS).unwrap();
    let entries: Vec<Entry> = (1..=versions)
        .flat_map(|version| drifts.iter().map(move |id| updated(*id, version, Severity::Info)))
        .map(|event| Entry::of(event, world.publisher.clock()).unwrap())
        .collect();
    let mut batches = entries.chunks(BATCH);
    for number in 0..KILLS {
        // The kill comes in the middle of the deliveries of these events.
        for batch in batches.by_ref().take(EVENTS / BATCH / KILLS) {
            world.publish(batch).await;
        }
        let enough = (number + 1) * EVENTS / KILLS / 2;
        until(&world, async || healthy.received().len() >= enough).await;
        world.kill(number).await;
    }
    for receiver in [&healthy, &flaky] {
        until(&world, async || distinct(receiver) == EVENTS).await;
        assert_in_order(receiver);
    }
    world.service.terminate();
    world.service.ended().await;
}

/// Waits for some thousands of deliveries, which takes longer than other things.
async fn until(world: &World, condition: impl AsyncFn() -> bool) {
    let clock = world.publisher.clock();
    let end = clock.now() + TimeDelta::minutes(4);
    while !condition().await {
        assert!(clock.now() < end, "the deliveries take too long");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn distinct(receiver: &Receiver) -> usize {
    let received = receiver.received();
    let ids = received.iter().map(|message| message.header("webhook-id"));
    ids.collect::<std::collections::HashSet<_>>().len()
}

/// A repeated message has the same id, and no other message about its drift comes in between.
fn assert_in_order(receiver: &Receiver) {
    let mut last: HashMap<Value, (String, i64)> = HashMap::new();
    let mut repeated = 0;
    for message in receiver.received() {
        let (drift, version) =
            (message.body["data"]["id"].clone(), message.body["data"]["version"].as_i64().unwrap());
        let id = message.header("webhook-id").to_owned();
        let (last_id, last_version) = last.get(&drift).cloned().unwrap_or_default();
        if last_version == version {
            assert_eq!(last_id, id);
            repeated += 1;
        } else {
            assert_eq!(version, last_version + 1, "{drift}");
        }
        last.insert(drift, (id, version));
    }
    assert!(repeated < EVENTS, "{repeated} repeated messages");
}
