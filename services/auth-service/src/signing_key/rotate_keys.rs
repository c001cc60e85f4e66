//! Replaces the key that signs access tokens, from a shell.

use anyhow::{Context, Result, ensure};

use crate::signing_key::entity as signing_key;
use crate::signing_key::replacement::{create, mark};
use crate::state::State;

/// Creates the next key, which signs after its announcement. With `withdraw`, every other key stops verifying at
/// once, for example because one leaked or a backup brought it back.
pub async fn run(state: &State, withdraw: bool) -> Result<()> {
    ensure!(
        state.platform.tokens().keys.are_issued(),
        "the keys come from JWT_ACCESS_SECRET, JWT_SIGNING_KEY_FILE or JWT_PUBLIC_KEY_FILES; docs/OPERATIONS.md tells how to replace these"
    );
    let now = state.platform.clock().now();
    let transaction = state.database.begin().await?;
    if withdraw {
        signing_key::withdraw_all(&transaction, now).await?;
    }
    let last = signing_key::all(&transaction).await?.last().map_or(0, |last| last.number);
    let is_created = create(state, &transaction, last + 1, now).await?;
    ensure!(is_created, "another process has just created a key; nothing was changed, try again");
    transaction.commit().await?;
    let marks = signing_key::all(&state.database).await?;
    let marks = marks.iter().map(|row| mark(row, now)).collect::<Vec<_>>();
    state.platform.backplane().marks.add(&marks).await.context(
        "the keys are replaced, but other processes do not know it yet; a running auth-service tells them when Redis is available",
    )?;
    if withdraw {
        tracing::info!("withdrew all keys; every access token and service token is invalid now");
    }
    Ok(())
}
