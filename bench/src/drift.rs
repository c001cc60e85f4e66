use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use contracts::{Clock, Role};
use flate2::read::GzDecoder;
use testing::{Client, Method, StatusCode};

use crate::measure::{Times, memory, milliseconds};
use crate::service::Service;
use crate::table::Table;
use crate::verify;

const PLAN: &str = "tests/samples/fakeaws_2000/scan1.plan.json.gz";
const LISTS: usize = 200;
/// Number of stacks in addition to the first, with 2,000 drifts each.
const STACKS: usize = 9;
const LAST_PAGES: usize = 20;

pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let service = Service::start("drift-service").await;
    let process = service.process.id();
    let token = verify::token(&verify::keys()?, &Clock::system(), Role::Engineer)?;
    let client = service.client.with_token(&token);
    let plan = plan()?;

    let before = memory(process, "VmRSS");
    for (what, target) in [("2,000 new drifts", "< 2 s"), ("the same plan again", "< 1 s")] {
        let started = Instant::now();
        ingest(&client, &plan, "bench").await;
        table.add(format!("ingest, {what}, PostgreSQL"), milliseconds(started.elapsed()), target);
    }
    let grown = memory(process, "VmHWM") - before;
    table.add("memory growth during the ingest", format!("{grown:.0} MiB"), "< 100 MB");

    for (what, path) in
        [("list, a page of 100", "/api/v1/drifts?limit=100"), ("summary", "/api/v1/metrics/summary")]
    {
        let mut times = Times::default();
        for _ in 0..LISTS {
            let started = Instant::now();
            client.get(path).await.expect(StatusCode::OK);
            times.add(started.elapsed());
        }
        table.add(
            format!("{what} of 2,000 drifts"),
            format!("p95 {}", milliseconds(times.percentile(95))),
            "",
        );
    }
    for stack in 0..STACKS {
        ingest(&client, &plan, &format!("bench-{stack}")).await;
    }
    let mut pages = walk(&client).await;
    let mut last = Times::default();
    let count = pages.len();
    pages.drain(count.saturating_sub(LAST_PAGES)..).for_each(|time| last.add(time));
    let measured = format!("p95 {}", milliseconds(last.percentile(95)));
    table.add(format!("list, the last {LAST_PAGES} of {count} pages with 100 drifts each"), measured, "");
    Ok(())
}

/// Returns a plan of 2,000 drifts.
pub(crate) fn plan() -> Result<Vec<u8>> {
    let mut plan = Vec::new();
    let file = File::open(PLAN).with_context(|| format!("{PLAN} is read from the project's folder"))?;
    GzDecoder::new(file).read_to_end(&mut plan)?;
    Ok(plan)
}

pub(crate) async fn ingest(client: &Client, plan: &[u8], stack: &str) {
    let request = client.request(Method::POST, &format!("/api/v1/drifts/ingest?stack={stack}"));
    let request = request.header("content-type", "application/json").body(plan.to_vec());
    client.send(request).await.expect(StatusCode::OK);
}

/// Reads all drifts page by page. Returns the time of each page.
async fn walk(client: &Client) -> Vec<Duration> {
    let (mut times, mut cursor) = (Vec::new(), String::new());
    loop {
        let started = Instant::now();
        let page = client.get(&format!("/api/v1/drifts?limit=100{cursor}")).await.expect(StatusCode::OK);
        times.push(started.elapsed());
        match page["page"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return times,
        }
    }
}
