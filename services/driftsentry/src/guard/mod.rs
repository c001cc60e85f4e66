//! `driftsentry guard`: checks a plan before it is applied.

mod options;
mod report;

pub(crate) use options::Guard;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::client::{ScanFile, plain, print_failure};
use report::{GuardReport, Verdict};

const FAILED: u8 = 1;
const STOP: u8 = 2;
const REVIEW: u8 = 3;

/// Checks the plan, and exits with the code of the verdict.
pub(crate) async fn run(options: Guard) -> ExitCode {
    match guard(&options).await {
        Ok(Verdict::Clear) => ExitCode::SUCCESS,
        Ok(Verdict::Stop) => ExitCode::from(STOP),
        Ok(Verdict::Review) => ExitCode::from(REVIEW),
        Err(error) => {
            print_failure(&error, options.connection.debug);
            ExitCode::from(FAILED)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the report is the output of the command")]
async fn guard(options: &Guard) -> Result<Verdict> {
    let plan = ScanFile::new(options.file.clone());
    let sender = options.sender()?;
    let response = sender.send(&[("stack", &options.stack)], plan.packed(None)?).await;
    let response = response.with_context(|| format!("{} was not checked", plan.shown()))?;
    let json = plain(&response.to_string());
    let report = GuardReport::read(response).context("cannot read the response")?;
    if options.json {
        println!("{json}");
    } else {
        print!("{}", report.table(options.connection.base()));
    }
    Ok(report.verdict)
}
