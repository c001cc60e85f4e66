//! `driftsentry migrate-storage`: moves a data folder from SQLite to PostgreSQL.

use anyhow::{Context, Result, ensure};
use database::{Progress, StorageMove};
use indicatif::{ProgressBar, ProgressStyle};
use platform::check_plaintext;

use crate::cli::Serve;
use crate::data_dir::DataDir;
use crate::serve::postgres_url;

const TO: &str = "--to";

/// Copies the tables of all services, or nothing. The SQLite files stay as they are.
pub(crate) async fn run(serve: Serve, to: &str) -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let to = postgres_url(TO, to)?;
    check_plaintext(TO, to.as_str(), &serve.process)?;
    for service in ["auth", "drift"] {
        let file = serve.data_dir.join(service).with_extension("db");
        ensure!(file.exists(), "there is nothing to move: {} does not exist", file.display());
    }
    let data = DataDir::open(&serve.data_dir)?;
    let _lock = data.own()?;

    let target = StorageMove::begin(to.as_str()).await.context("--to cannot be used")?;
    let (auth, drift) = (data.sqlite_url("auth"), data.sqlite_url("drift"));
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}").context("a template")?);
    let progress = |progress: Progress<'_>| report(&bar, progress);
    target.copy::<auth_service::Migrator>(&auth, "auth", progress).await.context("cannot move auth.db")?;
    target
        .copy::<drift_service::Migrator>(&drift, "drift", progress)
        .await
        .context("cannot move drift.db")?;
    // Versions before the notifications have no such file.
    if data.path().join("notify.db").exists() {
        let notify = data.sqlite_url("notify");
        target
            .copy::<notify_service::Migrator>(&notify, "notify", progress)
            .await
            .context("cannot move notify.db")?;
    }
    target.commit().await.context("cannot finish the move")?;
    bar.finish_and_clear();
    done(&data);
    Ok(())
}

/// Shows a bar on a terminal, and a line for each finished table everywhere.
#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
fn report(bar: &ProgressBar, Progress { schema, table, copied, total }: Progress<'_>) {
    bar.set_length(total);
    bar.set_position(copied);
    bar.set_message(format!("{schema}.{table}"));
    if copied == total {
        bar.suspend(|| println!("{schema}.{table}: {total} rows"));
    }
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
fn done(data: &DataDir) {
    println!(
        "\nEverything is moved, and the numbers of rows are equal. Start driftsentry with DATABASE_URL set to the\n\
         new database and the same DATA_DIR, which keeps the secrets. The SQLite files in\n{} are unchanged.",
        data.path().display()
    );
}
