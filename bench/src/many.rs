//! The reads of the console, with 100,000 drifts in 300 stacks.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use contracts::{Clock, Role};
use serde_json::{Value, json};
use testing::StatusCode;

use crate::drift::ingest;
use crate::measure::{Times, memory, milliseconds};
use crate::progress::progress;
use crate::service::Service;
use crate::table::Table;
use crate::verify;

const STACKS: usize = 300;
const DRIFTS_PER_STACK: usize = 334;
const TYPES: usize = 25;
const REQUESTS: usize = 40;
/// A name, a path and the time within which 95 % of the responses should arrive.
const READS: [(&str, &str, &str); 8] = [
    ("a page of 100 stacks", "/api/v1/stacks?limit=100", "≤ 100 ms"),
    ("a page of 20 stacks", "/api/v1/stacks", "≤ 100 ms"),
    ("all seven facets", "/api/v1/drifts/facets", "≤ 150 ms"),
    ("groups by cause", "/api/v1/drifts/groups", "≤ 200 ms"),
    ("a page of 100 drifts, the worst first", "/api/v1/drifts?limit=100&sort=-severity", ""),
    ("a search for a changed path", "/api/v1/drifts?q=attr:tags.owner", ""),
    ("the trend of 90 days", "/api/v1/metrics/trend?days=90", ""),
    ("the changes of a week", "/api/v1/metrics/changes?since=2026-11-21T00:00:00Z", ""),
];

pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let service = Service::start("drift-service").await;
    let process = service.process.id();
    let token = verify::token(&verify::keys()?, &Clock::system(), Role::Engineer)?;
    let client = service.client.with_token(&token);
    let started = Instant::now();
    for stack in 0..STACKS {
        ingest(&client, &plan(stack), &format!("team-{}%2Fstack-{stack}", stack % 12)).await;
        if stack % 50 == 49 {
            progress(&format!("{} of {STACKS} stacks", stack + 1));
        }
    }
    let drifts = STACKS * DRIFTS_PER_STACK;
    table.add(format!("ingest of {drifts} drifts in {STACKS} stacks"), milliseconds(started.elapsed()), "");
    vacuum(&service)?;
    for (what, path, target) in READS {
        let mut times = Times::default();
        for _ in 0..REQUESTS {
            let started = Instant::now();
            client.get(path).await.expect(StatusCode::OK);
            times.add(started.elapsed());
        }
        let measured =
            format!("p50 {}, p95 {}", milliseconds(times.percentile(50)), milliseconds(times.percentile(95)));
        table.add(format!("{what}, of {drifts} drifts in {STACKS} stacks"), measured, target);
    }
    for format in ["csv", "json", "sarif"] {
        reset_peak(process)?;
        let (before, started) = (memory(process, "VmRSS"), Instant::now());
        let path = format!("/api/v1/drifts/export?format={format}");
        let mut response = client.request(testing::Method::GET, &path).send().await?.error_for_status()?;
        let mut bytes = 0;
        while let Some(part) = response.chunk().await? {
            bytes += part.len();
        }
        let grown = memory(process, "VmHWM") - before;
        let measured = format!(
            "{} MB in {}, memory {grown:+.1} MiB",
            bytes / 1_000_000,
            milliseconds(started.elapsed())
        );
        table.add(format!("export of {drifts} drifts, {format}"), measured, "≤ +30 MB");
    }
    Ok(())
}

/// Does what autovacuum does within minutes, so that counts are read from indexes alone.
fn vacuum(service: &Service) -> Result<()> {
    let url = service.environment.iter().find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url);
    let url = url.context("the service has a database")?;
    let done = Command::new("psql").args([url, "-qc", "VACUUM ANALYZE"]).status()?;
    ensure!(done.success(), "psql failed");
    Ok(())
}

/// Lets `VmHWM` begin at the present memory.
fn reset_peak(process: u32) -> Result<()> {
    Ok(std::fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

/// A plan of one stack. Each tenth drift is of its own cause; the others share one with those of other stacks.
fn plan(stack: usize) -> Vec<u8> {
    let drift = |index: usize| {
        let kind = format!("aws_{}", index % TYPES);
        let value =
            if index.is_multiple_of(10) { format!("{stack}-{index}") } else { (index % 40).to_string() };
        let state = |owner: &str, size: &str| {
            json!({
                "id": format!("i-{stack}-{index}"), "name": format!("web-{index}"), "size": size,
                "tags": {"owner": owner, "team": format!("team-{}", stack % 12)},
                "description": "x".repeat(700),
            })
        };
        json!({
            "address": format!("module.web[{index}].{kind}.this"), "mode": "managed", "type": kind,
            "change": {"actions": ["update"], "before": state("a", "small"), "after": state("b", &value)},
        })
    };
    let drifts: Vec<Value> = (0..DRIFTS_PER_STACK).map(drift).collect();
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "errored": false,
        "timestamp": "2026-11-20T00:00:00Z", "resource_drift": drifts,
    });
    plan.to_string().into()
}
