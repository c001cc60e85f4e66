//! `driftsentry ingest`: sends scans and reports the result.

mod annotations;
mod files;
mod options;
mod output;
mod plain_text;
mod report;
mod send;
mod token_expiry;

pub(crate) use options::{FailOn, Ingest};

use std::process::ExitCode;

use anyhow::{Context, Result};
use contracts::Clock;

use files::ScanFile;
use report::Report;
use send::Sender;

/// The exit code for new or changed drift.
const NEW_DRIFT: u8 = 2;
const FAILED: u8 = 1;

/// Sends the scans. Exits with 2 on new or changed drift, 0 on none, and 1 on failure.
pub(crate) async fn run(options: Ingest) -> ExitCode {
    match ingest(&options).await {
        Ok(true) => ExitCode::from(NEW_DRIFT),
        Ok(false) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&error, options.debug);
            ExitCode::from(FAILED)
        }
    }
}

/// Sends every file. Returns whether there is drift that the caller wants to fail on. A failed file does not
/// keep the others from being sent.
async fn ingest(options: &Ingest) -> Result<bool> {
    let files = files::collect(&options.files)?;
    let token = options.token()?;
    token_expiry::warn(token, Clock::system().now());
    let sender = Sender::new(options, token)?;
    let mut total = Report::default();
    let mut failed = None;
    for file in &files {
        match send_one(&sender, file, options, files.len()).await {
            Ok(report) => total.add(report),
            Err(error) => {
                let error = error.context(format!("{} was not ingested", file.shown()));
                if files.len() > 1 {
                    output::failure(&error, options.debug);
                }
                failed = failed.or(Some(error));
            }
        }
    }
    let has_reports = failed.is_none() || total.is_used;
    if has_reports {
        output::print(options, &total, sender.base())?;
        annotations::write(&total, sender.base())?;
    }
    match failed {
        None => Ok(total.fails(options.fail_on)),
        Some(error) if files.len() == 1 => Err(error),
        Some(_) => anyhow::bail!("not every file was ingested"),
    }
}

async fn send_one(sender: &Sender, file: &ScanFile, options: &Ingest, count: usize) -> Result<Report> {
    let body = file.packed()?;
    let stack = file.stack(&options.stack, count);
    let report = sender.send(&stack, body).await?;
    Report::read(report, &stack).context("cannot read the response")
}
