//! The time from an event to its receivers, with 1,000 destinations of which 100 never respond.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use backplane::{Backplane, Entry, Options};
use chrono::{DateTime, Utc};
use contracts::drift::{Severity, Status};
use contracts::events::drift::{DriftCreated, DriftSubject};
use contracts::{Clock, Role, Tasks};
use serde_json::{Value, json};
use testing::{Client, StatusCode};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::measure::{Cpu, Times, memory, milliseconds};
use crate::progress::progress;
use crate::service::Service;
use crate::table::Table;
use crate::verify;

const DESTINATIONS: usize = 1_000;
const HANGING: usize = 100;
const EVENTS: usize = 100;
/// Time between two events.
const INTERVAL: Duration = Duration::from_secs(1);
/// Time in which nothing more arrives after which the run is over.
const QUIET: Duration = Duration::from_secs(20);
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let settings = [("ALLOW_PRIVATE_WEBHOOKS", "true"), ("NOTIFY_SECRET", "destinations of the bench")];
    let service = Service::start_with("notify-service", &settings).await;
    let process = service.process.id();
    let clock = Clock::system();
    let admin = service.client.with_token(&verify::token(&verify::keys()?, &clock, Role::Admin)?);
    let times = Arc::new(Mutex::new(Times::default()));
    let healthy = listen().await?;
    let hanging = listen().await?;
    let (port, silent_port) = (healthy.local_addr()?.port(), hanging.local_addr()?.port());
    tokio::spawn(receive(healthy, Arc::clone(&times)));
    tokio::spawn(hang(hanging));
    create(&admin, port, silent_port).await?;

    let redis = service.environment.iter().find(|(name, _)| *name == "REDIS_URL");
    let options = Options::new(clock.clone(), Tasks::new(CancellationToken::new()));
    let backplane = Backplane::connect(&redis.context("the service has Redis")?.1, options)?;
    let before = Cpu::of(process);
    let mut next = tokio::time::interval(INTERVAL);
    for number in 0..EVENTS {
        next.tick().await;
        let entry = Entry::of(event(number, clock.now()), &clock)?;
        // The first append finds out which log it is.
        while backplane.log.append(std::slice::from_ref(&entry)).await.is_err() {}
        if number % 20 == 19 {
            progress(&format!("{} of {EVENTS} events for {DESTINATIONS} destinations", number + 1));
        }
    }
    let expected = EVENTS * (DESTINATIONS - HANGING);
    let arrived = || times.lock().unwrap_or_else(PoisonError::into_inner).count();
    let (mut last, mut since) = (arrived(), Instant::now());
    while last < expected && since.elapsed() < QUIET {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = arrived();
        if now > last {
            (last, since) = (now, Instant::now());
        }
    }
    let used = Cpu::of(process).since(&before);
    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
    let measured = format!(
        "p50 {}, p95 {}, p99 {}, the slowest {}; {} of {expected} arrived",
        milliseconds(times.percentile(50)),
        milliseconds(times.percentile(95)),
        milliseconds(times.percentile(99)),
        milliseconds(times.percentile(100)),
        times.count(),
    );
    let what = format!(
        "{EVENTS} events to {DESTINATIONS} webhooks, {HANGING} of them never respond: from an event to its receiver"
    );
    table.add(what, measured, "p99 ≤ 2 s");
    let each = used.as_secs_f64() * 1e6 / times.count().max(1) as f64;
    let measured = format!("{each:.0} µs of processor time, {:.0} MiB", memory(process, "VmHWM"));
    table.add("a delivery, and the memory of notify-service".to_owned(), measured, "");
    Ok(())
}

/// Listens on every address of the loopback network, so that each destination has a host of its own.
async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?)
}

async fn create(admin: &Client, port: u16, silent_port: u16) -> Result<()> {
    for number in 0..DESTINATIONS {
        let port = if number % (DESTINATIONS / HANGING) == 0 { silent_port } else { port };
        let url = format!("http://127.1.{}.{}:{port}/", number / 250, number % 250 + 1);
        let body = json!({
            "name": format!("Webhook {number}"),
            "target": {"kind": "webhook", "url": url},
            // Without the events that say which destinations fail.
            "rules": {"events": ["drift:*"]},
        });
        admin.post("/api/v1/notifications/destinations", &body).await.expect(StatusCode::CREATED);
    }
    Ok(())
}

fn event(number: usize, now: DateTime<Utc>) -> DriftCreated {
    DriftCreated {
        id: Uuid::now_v7(),
        subject: DriftSubject {
            stack: "bench".into(),
            address: format!("aws_instance.web[{number}]"),
            resource_id: format!("i-{number}"),
            resource_type: "aws_instance".into(),
            severity: Severity::Warning,
            fingerprint: "0".repeat(32),
        },
        region: Some("eu-west-1".into()),
        cost_impact_monthly: 12.5,
        detected_at: now,
        status: Status::Detected,
        version: 1,
        account_id: None,
    }
}

async fn hang(listener: TcpListener) {
    let mut open = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.push(stream);
    }
}

async fn receive(listener: TcpListener, times: Arc<Mutex<Times>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&times)));
    }
}

/// Answers the requests of a connection, and notes the age of the event in each.
async fn serve(stream: TcpStream, times: Arc<Mutex<Times>>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let body: Value = serde_json::from_slice(&body)?;
        let at: DateTime<Utc> = body["timestamp"].as_str().context("a timestamp")?.parse()?;
        let age = (Utc::now() - at).to_std().unwrap_or_default();
        times.lock().unwrap_or_else(PoisonError::into_inner).add(age);
        stream.write_all(RESPONSE).await?;
    }
}
