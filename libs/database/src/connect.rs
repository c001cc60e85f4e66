//! Parses a database URL and prepares the file that it names. No error quotes the URL: it may contain a
//! password.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use sea_orm::{DbErr, RuntimeErr, SqlxError};
use url::Url;

/// The reason why a database cannot be used. Contains no value of the URL.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "not a URL such as postgres://user:password@host/name or sqlite://file.db?mode=rwc; \
         special characters of a password are percent-encoded, such as %2F for /"
    )]
    NotAUrl,
    #[error("the URL must begin with postgres:// or sqlite:")]
    Scheme,
    #[error("schema may have a-z, 0-9 and _ only")]
    Schema,
    #[error("the SQLite file cannot be created: {0}")]
    File(io::Error),
    #[error("the URL has a parameter that the driver does not accept")]
    Parameters,
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    #[error("the database cannot be migrated")]
    Migration(#[source] DbErr),
}

impl From<DbErr> for ConnectError {
    /// Keeps the text of network and server errors, which contain nothing of the URL except the user name.
    fn from(error: DbErr) -> Self {
        let (DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause))) = &error
        else {
            return Self::Unreachable("no connection in time".into());
        };
        match &**cause {
            SqlxError::Io(error) => Self::Unreachable(error.to_string()),
            SqlxError::Tls(error) => Self::Unreachable(error.to_string()),
            SqlxError::Database(error) => Self::Unreachable(error.message().into()),
            SqlxError::Configuration(_) => Self::Parameters,
            _ => Self::Unreachable("no connection in time".into()),
        }
    }
}

/// A database URL that the driver accepts.
pub(crate) struct Target {
    pub(crate) url: String,
    /// The schema of the tables, if the URL names one.
    pub(crate) schema: Option<String>,
}

impl Target {
    /// Parses `postgres://…` or `sqlite:…`. `?schema=name` is our own parameter, unknown to the driver.
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        if !["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(ConnectError::Scheme);
        }
        let parsed = Url::parse(url).map_err(|_error| ConnectError::NotAUrl)?;
        if parsed.scheme() == "sqlite" {
            return Ok(Self { url: url.into(), schema: None });
        }
        split_schema(parsed)
    }

    /// Creates the SQLite file if the URL names one with `mode=rwc`, and makes it readable by its owner only.
    /// SQLite gives its journal files the mode of the database.
    pub(crate) fn prepare_file(&self) -> Result<(), ConnectError> {
        let Some(path) = self.writable_file() else { return Ok(()) };
        let created = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        created.map_err(ConnectError::File)?;
        if let Err(error) = fs::set_permissions(&path, Permissions::from_mode(0o600)) {
            tracing::warn!(%error, file = %path.display(), "other users may be able to read this database");
        }
        Ok(())
    }

    fn writable_file(&self) -> Option<PathBuf> {
        let rest = self.url.strip_prefix("sqlite:")?;
        let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let creates = url::form_urlencoded::parse(parameters.as_bytes())
            .any(|pair| pair == ("mode".into(), "rwc".into()));
        let path = path.strip_prefix("//").unwrap_or(path);
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
        (creates && decoded != ":memory:").then(|| decoded.as_ref().into())
    }
}

fn split_schema(mut url: Url) -> Result<Target, ConnectError> {
    let Some((_, schema)) = url.query_pairs().find(|(name, _)| name == "schema") else {
        return Ok(Target { url: url.into(), schema: None });
    };
    let schema = schema.into_owned();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if schema.is_empty() || !schema.bytes().all(plain) {
        return Err(ConnectError::Schema);
    }
    let others = url.query_pairs().filter(|(name, _)| name != "schema");
    let others = others.map(|(name, value)| (name.into_owned(), value.into_owned())).collect::<Vec<_>>();
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
    Ok(Target { url: url.into(), schema: Some(schema) })
}
