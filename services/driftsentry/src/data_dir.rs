//! The folder with the SQLite files and the generated secrets of a process without a database server.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

const SECRET_BYTES: usize = 32;
/// The characters that are percent-encoded when a path becomes part of a SQLite URL.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Creates the folder if it does not exist. Closes it to other users, unless other files are in it too.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("DATA_DIR {} cannot be created", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("DATA_DIR {}", path.display()))?;
        if let Err(error) = close_to_others(&path) {
            tracing::warn!(%error, folder = %path.display(), "other users can list the files in DATA_DIR");
        }
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The URL of a SQLite file in the folder.
    pub(crate) fn sqlite_url(&self, name: &str) -> String {
        let path = self.0.join(name).with_extension("db");
        format!("sqlite://{}?mode=rwc", percent_encode(path.as_os_str().as_bytes(), IN_PATH))
    }

    /// Locks the SQLite files until the returned file is dropped, for a process that shares them with others.
    pub(crate) fn share(&self) -> Result<File> {
        self.lock(File::try_lock_shared, "its SQLite files are being moved")
    }

    /// Locks the SQLite files until the returned file is dropped, for a process that needs them alone.
    pub(crate) fn own(&self) -> Result<File> {
        self.lock(File::try_lock, "driftsentry is running on it; stop it first")
    }

    fn lock(&self, lock: impl Fn(&File) -> Result<(), TryLockError>, refusal: &str) -> Result<File> {
        let path = self.0.join("sqlite.lock");
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot use {}", path.display()))?;
        match lock(&file) {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!("DATA_DIR {} cannot be used: {refusal}", self.0.display()),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Returns the secret of that name. The first call creates it, readable by its owner only.
    pub(crate) fn secret(&self, name: &str) -> Result<String> {
        if let Some(secret) = self.existing_secret(name)? {
            return Ok(secret);
        }
        let path = self.secret_file(name);
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).context("cannot read random bytes from the system")?;
        let secret = hex::encode(bytes);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| cannot_use(&path))?;
        file.write_all(secret.as_bytes()).with_context(|| cannot_use(&path))?;
        Ok(secret)
    }

    /// Returns the secret of that name if it exists.
    pub(crate) fn existing_secret(&self, name: &str) -> Result<Option<String>> {
        let path = self.secret_file(name);
        match fs::read_to_string(&path) {
            Ok(secret) => Ok(Some(secret.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| cannot_use(&path)),
        }
    }

    fn secret_file(&self, name: &str) -> PathBuf {
        self.0.join(name).with_extension("secret")
    }
}

fn cannot_use(path: &Path) -> String {
    format!("cannot use {}", path.display())
}

/// Closes the folder to other users. A folder that also contains other files, such as a home folder, keeps
/// its mode, because our files are closed anyway.
fn close_to_others(folder: &Path) -> io::Result<()> {
    if fs::metadata(folder)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_ours = path.extension().is_some_and(|extension| {
            ["db", "db-wal", "db-shm", "lock", "secret"].iter().any(|own| extension == *own)
        });
        if !is_ours {
            return Err(io::Error::other("the folder contains other files"));
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_created_once_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&folder.path().join("new")).unwrap();
        let secret = data.secret("jwt").unwrap();
        assert_eq!(identity::check_secret("JWT_ACCESS_SECRET", &secret), Ok(()));
        assert_eq!(data.secret("jwt").unwrap(), secret);
        assert_ne!(data.secret("other").unwrap(), secret);
        let mode = fs::metadata(data.path().join("jwt.secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_existing_folder_is_closed_to_others_unless_it_holds_other_files_s71() {
        let folder = tempfile::tempdir().unwrap();
        let mode = || fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
        let open_to_all = || fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        open_to_all();
        DataDir::open(folder.path()).unwrap();
        assert_eq!(mode(), 0o700);
        open_to_all();
        fs::write(folder.path().join("auth.db"), "").unwrap();
        DataDir::open(folder.path()).unwrap();
        assert_eq!(mode(), 0o700);
        open_to_all();
        fs::write(folder.path().join("thesis.txt"), "").unwrap();
        DataDir::open(folder.path()).unwrap();
        assert_eq!(mode(), 0o755, "a folder of others keeps its mode");
    }
}
