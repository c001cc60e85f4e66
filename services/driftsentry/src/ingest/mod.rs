//! `driftsentry ingest`: sends scans and reports the result.

mod annotations;
mod options;
mod output;
mod report;

pub(crate) use annotations::write as write_annotations;
pub(crate) use options::{FailOn, Ingest};
pub(crate) use output::print as print_report;
pub(crate) use report::Report;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::client::{ScanFile, Sender, collect, print_failure};

/// The exit code for new or changed drift.
const NEW_DRIFT: u8 = 2;
const FAILED: u8 = 1;

/// Sends the scans. Exits with 2 on new or changed drift, 0 on none, and 1 on failure.
pub(crate) async fn run(options: Ingest) -> ExitCode {
    match ingest(&options).await {
        Ok(true) => ExitCode::from(NEW_DRIFT),
        Ok(false) => ExitCode::SUCCESS,
        Err(error) => {
            print_failure(&error, options.connection.debug);
            ExitCode::from(FAILED)
        }
    }
}

/// Sends every file. Returns whether there is drift that the caller wants to fail on. A failed file does not
/// keep the others from being sent.
async fn ingest(options: &Ingest) -> Result<bool> {
    let files = collect(&options.files)?;
    anyhow::ensure!(
        options.infracost.is_none() || files.len() == 1,
        "--infracost belongs to one plan; send each plan with its own costs"
    );
    let sender = options.sender()?;
    let mut total = Report::default();
    let mut failed = None;
    for file in &files {
        match send_one(&sender, file, options, files.len()).await {
            Ok(report) => total.add(report),
            Err(error) => {
                let error = error.context(format!("{} was not ingested", file.shown()));
                if files.len() > 1 {
                    print_failure(&error, options.connection.debug);
                }
                failed = failed.or(Some(error));
            }
        }
    }
    let has_reports = failed.is_none() || total.is_used;
    if has_reports {
        let base = options.connection.base();
        output::print(&total, base, options.json)?;
        annotations::write(&total, base)?;
    }
    match failed {
        None => Ok(total.fails(options.fail_on)),
        Some(error) if files.len() == 1 => Err(error),
        Some(_) => anyhow::bail!("not every file was ingested"),
    }
}

async fn send_one(sender: &Sender, file: &ScanFile, options: &Ingest, count: usize) -> Result<Report> {
    let costs = options.infracost.clone().map(ScanFile::new);
    let body = file.packed(costs.as_ref())?;
    let stack = file.stack(&options.stack, count);
    let report = sender.send(&[("stack", &stack)], body).await?;
    Report::read(report, &stack).context("cannot read the response")
}
