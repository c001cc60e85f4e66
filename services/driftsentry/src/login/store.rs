//! The file with the logins of a user, one for each server. Only its owner can read the file.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};

use super::api::Tokens;

const FILE: &str = "credentials.json";
const MAX_BYTES: u64 = 1024 * 1024;
/// Longer than a refresh may take.
const PATIENCE: Duration = Duration::from_secs(45);
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// The logins by the address of the server.
pub(super) type Logins = BTreeMap<String, Entry>;

/// A login to one server. Has no `Debug`, because it holds tokens.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub email: String,
    pub access_token: String,
    pub access_expires_at: DateTime<Utc>,
    pub refresh_token: String,
}

/// The folder of the file.
pub(super) struct Store(PathBuf);

/// The store while no other process changes it.
pub(super) struct Locked<'a> {
    store: &'a Store,
    _lock: File,
}

impl Entry {
    pub(super) fn new(email: String, tokens: Tokens, now: DateTime<Utc>) -> Self {
        let Tokens { access_token, refresh_token, expires_in } = tokens;
        let lifetime = TimeDelta::try_seconds(expires_in).unwrap_or_default();
        let access_expires_at = now.checked_add_signed(lifetime).unwrap_or(now);
        Self { email, access_token, access_expires_at, refresh_token }
    }
}

impl Store {
    /// The store in the configuration folder of the user.
    pub(super) fn of_user() -> Result<Self> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
        let folder = folder.context("there is no folder for the login: set HOME or XDG_CONFIG_HOME")?;
        Ok(Self(folder.join("driftsentry")))
    }

    /// Reads the logins. The file is replaced as a whole, so that no lock is needed.
    pub(super) fn read(&self) -> Result<Logins> {
        let path = self.0.join(FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Logins::new()),
            Err(error) => return Err(error).with_context(|| self.cannot_use()),
        };
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).with_context(|| self.cannot_use())?;
        // The error of the parser could repeat a token.
        let logins = serde_json::from_str(&text).ok();
        logins
            .with_context(|| format!("{} is damaged: delete it, and run: driftsentry login", path.display()))
    }

    /// Waits until no other process changes the logins. Creates the folder, which only its owner can list.
    pub(super) async fn lock(&self) -> Result<Locked<'_>> {
        let folder = &self.0;
        DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| self.cannot_use())?;
        fs::set_permissions(folder, Permissions::from_mode(0o700)).with_context(|| self.cannot_use())?;
        let lock = OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join("lock"));
        let lock = lock.with_context(|| self.cannot_use())?;
        let ends_at = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Locked { store: self, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < ends_at => sleep(RETRY_AFTER).await,
                Err(TryLockError::WouldBlock) => bail!("another driftsentry has locked {}", folder.display()),
                Err(TryLockError::Error(error)) => return Err(error).with_context(|| self.cannot_use()),
            }
        }
    }

    fn cannot_use(&self) -> String {
        format!("cannot use {}", self.0.join(FILE).display())
    }
}

impl Locked<'_> {
    /// Replaces the file at once, so that no process sees a part of it.
    pub(super) fn write(&self, logins: &Logins) -> Result<()> {
        let write = || -> Result<()> {
            // A temporary file is readable by its owner only.
            let mut file = NamedTempFile::new_in(&self.store.0)?;
            serde_json::to_writer_pretty(&mut file, logins)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(self.store.0.join(FILE))?;
            Ok(())
        };
        write().with_context(|| self.store.cannot_use())
    }
}
