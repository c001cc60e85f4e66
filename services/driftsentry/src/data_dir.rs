//! The folder that holds what a process without a database server needs to keep.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const SECRET_BYTES: usize = 32;

pub struct DataDir(PathBuf);

impl DataDir {
    /// Makes the folder, for its owner only, if it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("DATA_DIR {} cannot be made", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("DATA_DIR {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The URL of a SQLite file in the folder.
    pub fn sqlite_url(&self, name: &str) -> String {
        format!("sqlite://{}?mode=rwc", self.0.join(name).with_extension("db").display())
    }

    /// The secret of that name, made at the first call and kept, readable by its owner only.
    pub fn secret(&self, name: &str) -> Result<String> {
        let path = self.0.join(name).with_extension("secret");
        let context = || format!("{} cannot be used", path.display());
        match fs::read_to_string(&path) {
            Ok(secret) => return Ok(secret.trim().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(context),
        }
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).context("the system gives no randomness")?;
        let secret = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path).with_context(context)?;
        file.write_all(secret.as_bytes()).with_context(context)?;
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&folder.path().join("new")).unwrap();
        let secret = data.secret("jwt").unwrap();
        assert_eq!(identity::check_secret("JWT_ACCESS_SECRET", &secret), Ok(()));
        assert_eq!(data.secret("jwt").unwrap(), secret);
        assert_ne!(data.secret("other").unwrap(), secret);
        let mode = fs::metadata(data.path().join("jwt.secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
