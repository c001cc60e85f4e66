//! `driftsentry ingest`: sends a scan and tells what came of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write, stdin};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Ingest;

/// What the service takes, with room to say so: it counts the unpacked bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const NEW_DRIFT: u8 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    created: u64,
    unchanged: u64,
    changed: u64,
    resolved: u64,
    ignored: u64,
    skipped: u64,
    #[serde(default)]
    skipped_reasons: BTreeMap<String, u64>,
    warnings: Vec<String>,
}

/// Sends the scan; 0 if there is nothing new, 2 if there is.
pub async fn run(scan: Ingest) -> Result<ExitCode> {
    let body = packed(read(&scan.file)?)?;
    let report = send(&scan, body).await?;
    print(&scan, &report);
    let news = report.created + report.changed > 0;
    Ok(if news { ExitCode::from(NEW_DRIFT) } else { ExitCode::SUCCESS })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let context = || format!("{} cannot be read", path.display());
    if path == Path::new("-") {
        stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(context)?;
    } else {
        let file = File::open(path).with_context(context)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(context)?;
    }
    ensure!(!bytes.is_empty(), "{} is empty", path.display());
    ensure!(bytes.len() as u64 <= MAX_BYTES, "{} has more than {MAX_BYTES} bytes", path.display());
    Ok(bytes)
}

/// A plan shrinks to a twentieth.
fn packed(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&bytes)?;
    Ok(packer.finish()?)
}

async fn send(scan: &Ingest, body: Vec<u8>) -> Result<Report> {
    let token = scan.token.as_deref().filter(|token| !token.is_empty());
    let token =
        token.context("DRIFTSENTRY_TOKEN is missing: set it to a service token or an access token")?;
    let url = url(scan)?;
    let request = Client::new()
        .post(url.clone())
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_ENCODING, "gzip")
        .body(with_progress(body));
    let answer = request.send().await.with_context(|| format!("{} cannot be reached", origin(&url)))?;
    let status = answer.status();
    let text = answer.text().await.context("the answer broke off")?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    if !status.is_success() {
        let message = answer["error"]["message"].as_str().unwrap_or("no DriftSentry answers there");
        bail!("{} refused the scan ({status}): {message}", origin(&url));
    }
    serde_json::from_value(answer["data"].clone()).context("the answer cannot be understood")
}

fn url(scan: &Ingest) -> Result<Url> {
    let mut url: Url = scan.url.parse().context("--url is no URL such as https://drift.example.com")?;
    url.path_segments_mut()
        .ok()
        .context("--url is no URL such as https://drift.example.com")?
        .pop_if_empty()
        .extend(["api", "v1", "drifts", "ingest"]);
    let mut query = url.query_pairs_mut();
    query.append_pair("stack", &scan.stack).append_pair("source", &scan.source);
    for (name, value) in [("accountId", &scan.account_id), ("region", &scan.region)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    for (name, set) in [("complete", scan.complete), ("dryRun", scan.dry_run)] {
        if set {
            query.append_pair(name, "true");
        }
    }
    drop(query);
    Ok(url)
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Hidden by itself where standard error is no terminal.
fn with_progress(body: Vec<u8>) -> reqwest::Body {
    let bar = ProgressBar::new(body.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("sending {bar:30} {bytes}/{total_bytes}") {
        bar.set_style(style);
    }
    let mut rest = Bytes::from(body);
    let chunks = std::iter::from_fn(move || {
        if rest.is_empty() {
            bar.finish_and_clear();
            return None;
        }
        let chunk = rest.split_to(rest.len().min(CHUNK_BYTES));
        bar.inc(chunk.len() as u64);
        Some(Ok::<_, std::convert::Infallible>(chunk))
    });
    reqwest::Body::wrap_stream(stream::iter(chunks))
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
fn print(scan: &Ingest, report: &Report) {
    let would = if scan.dry_run { " (dry run: nothing was stored)" } else { "" };
    println!("Stack {}{would}", scan.stack);
    let rows = [
        ("new", report.created, "drifts that were not there before"),
        ("changed", report.changed, "drifts whose state is another one now"),
        ("unchanged", report.unchanged, "drifts as they were"),
        ("resolved", report.resolved, "drifts that are gone"),
        ("ignored", report.ignored, "covered by the ignore rules"),
        ("skipped", report.skipped, "entries that are no drift"),
    ];
    for (name, count, meaning) in rows {
        println!("  {name:<10} {count:>6}  {meaning}");
    }
    for (reason, count) in &report.skipped_reasons {
        println!("    skipped {count}: {reason}");
    }
    for warning in &report.warnings {
        println!("  warning: {warning}");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        scan: Ingest,
    }

    #[test]
    fn the_url_carries_what_was_asked_for() {
        let arguments = ["x", "-", "--url", "https://d.example.com/base/", "--stack", "a b", "--complete"];
        let url = url(&Cli::parse_from(arguments).scan).unwrap();
        let expected = "https://d.example.com/base/api/v1/drifts/ingest?stack=a+b&source=drift&complete=true";
        assert_eq!(url.as_str(), expected);
    }

    #[test]
    fn a_packed_scan_is_sent_as_it_is() {
        let packed_once = packed(b"{}".to_vec()).unwrap();
        assert!(packed_once.starts_with(&GZIP_MAGIC));
        assert_eq!(packed(packed_once.clone()).unwrap(), packed_once);
    }
}
