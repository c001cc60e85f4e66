use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use testing::{Client, StatusCode};
use tokio::task::JoinSet;

use crate::measure::{Times, memory, milliseconds, processor_time};
use crate::service::Service;
use crate::table::Table;

const SPAN: Duration = Duration::from_secs(8);
const COST: u32 = 10;
const PASSWORD: &str = "viewer123";
/// Number of users who log in, one after the other, so that none opens sessions more often than people do.
const USERS: usize = 200;

pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let service = Service::start("auth-service").await;
    let process = service.process.id();
    table.add("auth-service: ready after", milliseconds(service.started_in), "");
    table.add("auth-service: memory when idle", format!("{:.0} MiB", memory(process, "VmRSS")), "");
    let tokens = sign_up(&service).await;
    logins(&service, table).await?;
    flood(&service, table).await?;
    refreshes(&service, tokens, table).await?;
    table.add("auth-service: peak memory", format!("{:.0} MiB", memory(process, "VmHWM")), "");
    Ok(())
}

/// Returns the number of hashes per second that all cores together reach without other load.
fn ceiling() -> Result<f64> {
    let cores = std::thread::available_parallelism()?.get();
    let hash = bcrypt::hash(PASSWORD, COST)?;
    let started = Instant::now();
    let threads = (0..cores).map(|_| {
        let hash = hash.clone();
        std::thread::spawn(move || {
            let mut hashes = 0_u32;
            while started.elapsed() < SPAN / 2 {
                hashes += u32::from(bcrypt::verify(PASSWORD, &hash).unwrap_or_default());
            }
            hashes
        })
    });
    let threads = threads.collect::<Vec<_>>();
    let hashes = threads.into_iter().filter_map(|thread| thread.join().ok()).sum::<u32>();
    Ok(f64::from(hashes) / started.elapsed().as_secs_f64())
}

async fn logins(service: &Service, table: &mut Table) -> Result<()> {
    let ceiling = ceiling()?;
    let started = Instant::now();
    let times = repeat(16, SPAN, log_in, &service.client).await;
    let rate = times.count() as f64 / started.elapsed().as_secs_f64();
    let measured =
        format!("{rate:.1}/s, {:.0} % of the {ceiling:.1}/s that bcrypt allows", rate / ceiling * 100.0);
    table.add("logins", measured, "≥ 90 %");
    Ok(())
}

async fn log_in(client: Client) -> StatusCode {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let email = email(TURN.fetch_add(1, Ordering::Relaxed) % USERS);
    client.post("/api/auth/login", &json!({"email": email, "password": PASSWORD})).await.status
}

fn email(user: usize) -> String {
    format!("{user}@example.com")
}

/// Creates the users, and returns the refresh token of each.
async fn sign_up(service: &Service) -> Vec<Value> {
    let mut tokens = Vec::new();
    for user in 0..USERS {
        let person = json!({"name": "Bench", "email": email(user), "password": PASSWORD});
        let signup = service.client.post("/api/auth/signup", &person).await.expect(StatusCode::CREATED);
        tokens.push(signup["data"]["refreshToken"].clone());
    }
    tokens
}

/// Measures other requests while 200 users log in at once.
async fn flood(service: &Service, table: &mut Table) -> Result<()> {
    let session = service.log_in(&email(0), PASSWORD).await;
    let me = service.client.with_token(session["accessToken"].as_str().unwrap_or_default());
    let flooding = tokio::spawn({
        let client = service.client.clone();
        async move { repeat(200, SPAN, log_in, &client).await }
    });
    let ended = Arc::new(AtomicBool::new(false));
    let health = probe(&ended, service.client.clone(), async |client: &Client| {
        client.get("/health").await.expect(StatusCode::OK);
    });
    let who = probe(&ended, me, async |client: &Client| {
        client.get("/api/auth/me").await.expect(StatusCode::OK);
    });
    let refresh = chain(&ended, service.client.clone(), session["refreshToken"].clone());
    let stop = async {
        tokio::time::sleep(SPAN).await;
        ended.store(true, Ordering::Relaxed);
    };
    let (mut health, mut who, mut refresh, ()) = tokio::join!(health, who, refresh, stop);
    flooding.await?;
    for (name, times) in [("/health", &mut health), ("/me", &mut who), ("/refresh", &mut refresh)] {
        let measured =
            format!("p50 {}, p99 {}", milliseconds(times.percentile(50)), milliseconds(times.percentile(99)));
        table.add(format!("{name} while 200 log in"), measured, "p99 ≤ 50 ms");
    }
    Ok(())
}

async fn refreshes(service: &Service, tokens: Vec<Value>, table: &mut Table) -> Result<()> {
    let ended = Arc::new(AtomicBool::new(false));
    let (started, before) = (Instant::now(), processor_time(service.process.id()));
    let mut chains = JoinSet::new();
    // Each task has its own user, because changes of one user happen one after the other.
    for token in tokens.into_iter().take(32) {
        let (ended, client) = (Arc::clone(&ended), service.client.clone());
        chains.spawn(async move { chain(&ended, client, token).await });
    }
    tokio::time::sleep(SPAN).await;
    ended.store(true, Ordering::Relaxed);
    let mut times = Times::default();
    while let Some(chain) = chains.join_next().await {
        times.merge(chain?);
    }
    let spent = processor_time(service.process.id()) - before;
    let count = times.count() as f64;
    let (rate, per_core) = (count / started.elapsed().as_secs_f64(), count / spent.as_secs_f64());
    let measured = format!(
        "{rate:.0}/s while sharing the machine with PostgreSQL and the load generator; {per_core:.0} per second \
         of its own processor time"
    );
    table.add("refreshes on PostgreSQL", measured, "≥ 1,000/s per core");
    table.add("refresh, 32 at the same time", format!("p99 {}", milliseconds(times.percentile(99))), "");
    Ok(())
}

/// Refreshes one session repeatedly, each time with the newest token.
async fn chain(ended: &AtomicBool, client: Client, mut token: Value) -> Times {
    let mut times = Times::default();
    while !ended.load(Ordering::Relaxed) {
        let started = Instant::now();
        let answer = client.post("/api/auth/refresh", &json!({"refreshToken": token})).await;
        times.add(started.elapsed());
        token = answer.expect(StatusCode::OK)["data"]["refreshToken"].clone();
    }
    times
}

async fn probe(ended: &AtomicBool, client: Client, ask: impl AsyncFn(&Client)) -> Times {
    let mut times = Times::default();
    while !ended.load(Ordering::Relaxed) {
        let started = Instant::now();
        ask(&client).await;
        times.add(started.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

/// Repeats an action in `at_once` tasks for `span`. Returns the times of the successful ones.
async fn repeat<F>(at_once: usize, span: Duration, act: impl Fn(Client) -> F, client: &Client) -> Times
where
    F: Future<Output = StatusCode> + Send + 'static,
{
    let deadline = Instant::now() + span;
    let mut running = JoinSet::new();
    let mut times = Times::default();
    let begin = |running: &mut JoinSet<_>| {
        let (started, act) = (Instant::now(), act(client.clone()));
        running.spawn(async move { (act.await, started.elapsed()) });
    };
    (0..at_once).for_each(|_| begin(&mut running));
    while let Some(Ok((status, time))) = running.join_next().await {
        if status.is_success() {
            times.add(time);
        }
        if Instant::now() < deadline {
            begin(&mut running);
        }
    }
    times
}
