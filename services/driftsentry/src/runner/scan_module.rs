//! Scans one module: plans it, reads the plan and sends it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::child::{self, Limits};
use super::redact::without_secrets;
use super::stacks::Stack;
use super::tool::Step;
use crate::client::{ScanFile, Sender, beside, pack};
use crate::ingest::Report;

/// The parts that all modules of a run share.
pub(super) struct Run<'a> {
    pub sender: &'a Sender,
    pub timeout: Duration,
    pub init: bool,
    /// The name of a file with costs in the folder of each module.
    pub infracost: Option<&'a Path>,
    pub stop: &'a CancellationToken,
}

/// Scans a stack. Nothing is sent unless every step has succeeded.
///
/// # Errors
/// If a step fails or takes too long, if the service refuses the scan, or if the process is asked to stop.
pub(super) async fn scan(run: &Run<'_>, stack: &Stack) -> Result<Report> {
    if run.stop.is_cancelled() {
        bail!("interrupted");
    }
    let upload = upload(run, stack, plan(run, stack).await?)?;
    let mut query = vec![("stack", stack.name.as_str())];
    if stack.tool.plans_everything() {
        query.push(("assumeComplete", "true"));
    }
    let response = tokio::select! {
        response = run.sender.send(&query, pack(upload)?) => response?,
        () = run.stop.cancelled() => bail!("interrupted"),
    };
    Report::read(response, &stack.name).context("cannot read the response")
}

/// Adds the costs of the module to its plan, if it has any.
fn upload(run: &Run<'_>, stack: &Stack, plan: Vec<u8>) -> Result<Vec<u8>> {
    let costs = run.infracost.map(|name| stack.module.folder.join(name)).filter(|file| file.is_file());
    match costs {
        Some(file) => beside(plan, ScanFile::new(file).read()?),
        None => Ok(plan),
    }
}

/// Returns the plan as JSON. Its file is deleted in any case.
async fn plan(run: &Run<'_>, stack: &Stack) -> Result<Vec<u8>> {
    // Only its owner can read the folder, because a plan holds secrets.
    let folder =
        tempfile::Builder::new().prefix("driftsentry-").tempdir().context("cannot create a folder")?;
    let file = folder.path().join("plan");
    let limits = Limits { deadline: Instant::now() + run.timeout, timeout: run.timeout, stop: run.stop };
    let mut output = Vec::new();
    for step in Stack::steps(run.init) {
        let what = format!("{} {}", stack.tool.program(), step.name());
        let command = step.command(stack.tool, &stack.module, &file);
        output = child::run(command, &what, &limits, without_secrets).await?;
        if step == Step::Show {
            fs::remove_file(&file).context("cannot delete the plan file")?;
        }
    }
    folder.close().context("cannot delete the plan file")?;
    Ok(output)
}
