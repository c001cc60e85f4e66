use anyhow::{Context, Result, ensure};
use clap::Args;
use database::Transaction;
use platform::{ProcessConfig, check_plaintext};

use crate::report::ImportReport;
use crate::snapshot::{Snapshot, without_foreign_parameters};

const FROM: &str = "--from";

/// The rows that one service has imported, not committed yet; `None` if the source has no rows for it.
pub type Imported = Option<(Transaction, Vec<ImportReport>)>;

/// The command `import-legacy`.
#[derive(Args)]
pub struct ImportCommand {
    /// Database of the replaced stack, such as postgres://user@host/name; the password may stand in PGPASSWORD
    /// instead, because other users of the machine see arguments
    #[arg(long, value_name = "URL")]
    from: String,
    /// Report what an import would do, and copy nothing
    #[arg(long)]
    dry_run: bool,
}

impl ImportCommand {
    /// Opens the database of the replaced stack.
    ///
    /// # Errors
    /// If it cannot be reached, or only without TLS at a public address.
    pub async fn open(&self, config: &ProcessConfig) -> Result<Snapshot> {
        let url = without_foreign_parameters(&self.from).context("--from cannot be used")?;
        check_plaintext(FROM, &url, config)?;
        Snapshot::open(&url).await.context("--from cannot be used")
    }

    /// Commits what the services have imported, unless this is a dry run, and prints the reports.
    ///
    /// # Errors
    /// If the source has rows for none of them, or the database is unavailable. If a later service cannot commit, the
    /// next import adds its rows.
    pub async fn finish(self, source: Snapshot, imported: impl IntoIterator<Item = Imported>) -> Result<()> {
        source.close().await?;
        let imported = imported.into_iter().flatten().collect::<Vec<_>>();
        ensure!(
            !imported.is_empty(),
            "--from has no tables of the replaced stack for this service: users with password_hash, \"User\" or drifts"
        );
        let mut reports = Vec::new();
        for (tx, report) in imported {
            if !self.dry_run {
                tx.commit().await?;
            }
            reports.extend(report);
        }
        print(&reports, self.dry_run);
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
fn print(reports: &[ImportReport], dry_run: bool) {
    for report in reports {
        println!("{report}");
    }
    if dry_run {
        println!("\nThis was a dry run: no row is copied.");
    } else {
        println!("\nThe import is finished. Another one adds only what is new.");
    }
}
