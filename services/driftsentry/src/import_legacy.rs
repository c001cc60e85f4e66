//! `driftsentry import-legacy`: copies users, drifts, alerts and the audit log of the replaced stacks.

use anyhow::Result;
use legacy::ImportCommand;

use crate::cli::Serve;
use crate::serve::{Services, connect};

/// Imports everything that is not here yet, or nothing. With `--dry-run`, only reports.
pub(crate) async fn run(serve: Serve, import: ImportCommand) -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let source = import.open(&serve.process).await?;
    let Services { auth, drift, .. } = connect(serve).await?;
    let users = auth_service::user::legacy::import(&auth, &source).await?;
    let drifts = drift_service::legacy::import(&drift, &source).await?;
    import.finish(source, [users, drifts]).await
}
