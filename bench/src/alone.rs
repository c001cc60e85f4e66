use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use contracts::{Clock, Role};
use testing::{Client, Process, StatusCode, binary, free_port};

use crate::drift::{ingest, plan};
use crate::measure::{memory, milliseconds};
use crate::service::SECRET;
use crate::table::Table;
use crate::verify;

const LISTS: usize = 200;

/// Measures `driftsentry` as started without any setting except its port and folder.
pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut process, _, ready) = start(folder.path()).await?;
    table.add("driftsentry: ready after, without an existing database", milliseconds(ready), "");
    process.terminate();
    process.ended().await;

    let (process, client, ready) = start(folder.path()).await?;
    table.add("driftsentry: ready after, with an existing database", milliseconds(ready), "≤ 300 ms");
    let idle = memory(process.id(), "VmRSS");
    ingest(&client, &plan()?, "bench").await;
    for _ in 0..LISTS {
        client.get("/api/v1/drifts?limit=100").await.expect(StatusCode::OK);
    }
    let most = memory(process.id(), "VmHWM");
    let measured = format!("{idle:.0} / {most:.0} MiB");
    table.add(
        "driftsentry: memory, idle / after 2,000 drifts were ingested and listed",
        measured,
        "≤ 40 MB idle",
    );
    Ok(())
}

async fn start(folder: &Path) -> Result<(Process, Client, Duration)> {
    let port = free_port();
    let environment = [
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
        ("DATA_DIR", folder.display().to_string()),
        ("JWT_ACCESS_SECRET", SECRET.to_owned()),
        ("RUST_LOG", "warn".to_owned()),
    ];
    let started = Instant::now();
    let mut process = Process::spawn(&binary("driftsentry"), &[], environment);
    let base = format!("http://127.0.0.1:{port}");
    process.wait_until_ready(&base).await;
    let ready = started.elapsed();
    let token = verify::token(&verify::keys()?, &Clock::system(), Role::Engineer)?;
    Ok((process, Client::new(base).with_token(&token), ready))
}
