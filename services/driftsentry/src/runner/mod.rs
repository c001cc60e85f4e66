//! `driftsentry scan`: plans root modules with the tool of each, and sends the plans.

mod child;
mod hcl;
mod modules;
mod options;
mod redact;
mod scan_module;
mod signals;
mod stacks;
mod tool;
mod watch;

pub(crate) use options::Scan;

use std::process::ExitCode;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::client::{Sender, plain, print_failure};
use crate::ingest::{Report, print_report, write_annotations};
use scan_module::{Run, scan};
use stacks::{Stack, stacks};

const FAILED: u8 = 1;
/// The exit code for new or changed drift.
const NEW_DRIFT: u8 = 2;

/// Scans the modules once, or repeatedly. Ends all programs that it started when the process is asked to stop.
pub(crate) async fn run(options: Scan) -> ExitCode {
    let stop = CancellationToken::new();
    let mut scanning = std::pin::pin!(watch::repeat(&options, &stop));
    let outcome = tokio::select! {
        outcome = &mut scanning => outcome,
        asked = signals::asked_to_stop() => {
            stop.cancel();
            match asked {
                Ok(()) => scanning.await,
                Err(error) => Err(error.into()),
            }
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            print_failure(&error, options.connection.debug);
            ExitCode::from(FAILED)
        }
    }
}

/// Scans all modules once, a few at a time. A module that fails does not keep the others from being scanned.
async fn scan_all(options: &Scan, sender: &Sender, stop: &CancellationToken) -> Result<ExitCode> {
    let stacks = stacks(options)?;
    let infracost = options.infracost.as_deref();
    let run = &Run { sender, timeout: options.timeout, init: options.init, infracost, stop };
    let scanning = stacks.iter().map(|stack| async move { (stack, scan(run, stack).await) });
    let mut results: Vec<(&Stack, Result<Report>)> =
        stream::iter(scanning).buffer_unordered(options.jobs.into()).collect().await;
    results.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));

    let mut total = Report::default();
    let mut failed = Vec::new();
    for (stack, result) in results {
        match result {
            Ok(report) => total.add(report),
            Err(error) => {
                let error = error.context(format!("{} was not scanned", plain(&stack.name)));
                print_failure(&error, options.connection.debug);
                failed.push(plain(&stack.name));
            }
        }
    }
    total.failed = failed;
    let base = options.connection.base();
    print_report(&total, base, options.json)?;
    write_annotations(&total, base)?;
    Ok(match (total.failed.is_empty(), total.fails(options.fail_on)) {
        (false, _) => ExitCode::from(FAILED),
        (true, true) => ExitCode::from(NEW_DRIFT),
        (true, false) => ExitCode::SUCCESS,
    })
}
