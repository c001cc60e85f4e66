use std::fs::File;
use std::io::Read;
use std::time::Instant;

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

pub async fn run(table: &mut Table) -> Result<()> {
    let service = Service::start("drift-service").await;
    let process = service.process.id();
    let token = verify::token(&verify::keys()?, &Clock::system(), Role::Engineer)?;
    let client = service.client.with_token(&token);
    let mut plan = Vec::new();
    let file = File::open(PLAN).with_context(|| format!("{PLAN} is read from the project's folder"))?;
    GzDecoder::new(file).read_to_end(&mut plan)?;

    let before = memory(process, "VmRSS");
    for (what, target) in [("2,000 new drifts", "< 2 s"), ("the same plan again", "< 1 s")] {
        let started = Instant::now();
        ingest(&client, &plan).await;
        table.add(format!("ingest, {what}, Postgres"), milliseconds(started.elapsed()), target);
    }
    let grown = memory(process, "VmHWM") - before;
    table.add("memory growth of it", format!("{grown:.0} MiB"), "< 100 MB");

    for (what, path) in
        [("list, 100 of a page", "/api/v1/drifts?limit=100"), ("summary", "/api/v1/metrics/summary")]
    {
        let mut times = Times::default();
        for _ in 0..LISTS {
            let started = Instant::now();
            client.get(path).await.expect(StatusCode::OK);
            times.add(started.elapsed());
        }
        table.add(format!("{what}, 2,000 drifts"), format!("p95 {}", milliseconds(times.percentile(95))), "");
    }
    Ok(())
}

async fn ingest(client: &Client, plan: &[u8]) {
    let request = client.request(Method::POST, "/api/v1/drifts/ingest?stack=bench");
    let request = request.header("content-type", "application/json").body(plan.to_vec());
    client.send(request).await.expect(StatusCode::OK);
}
