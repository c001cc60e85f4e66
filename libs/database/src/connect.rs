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
    #[error("pooler must be transaction; leave it out for session pooling")]
    Pooler,
    #[error("the SQLite file cannot be created: {0}")]
    File(io::Error),
    #[error("the URL has a parameter that the driver does not accept")]
    Parameters,
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    #[error(
        "it has tables of the replaced Node stack ({0}): name another database, or a schema of its own with \
         ?schema=name, and copy the rows with the command import-legacy"
    )]
    Legacy(String),
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

pub(crate) const URL: &str = "DATABASE_URL";
pub(crate) const MIGRATION_URL: &str = "MIGRATION_DATABASE_URL";

/// The URLs of a database.
#[derive(Clone, Copy)]
pub struct Urls<'a> {
    pub database: &'a str,
    /// Used to migrate, such as a direct connection past a pooler, or another user.
    pub migration: Option<&'a str>,
}

impl<'a> Urls<'a> {
    /// Returns the URLs with the names of their variables.
    pub fn named(self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let migration = self.migration.map(|url| (MIGRATION_URL, url));
        [(URL, self.database)].into_iter().chain(migration)
    }
}

impl<'a> From<&'a str> for Urls<'a> {
    fn from(database: &'a str) -> Self {
        Self { database, migration: None }
    }
}

impl<'a> From<&'a String> for Urls<'a> {
    fn from(database: &'a String) -> Self {
        database.as_str().into()
    }
}

/// The error for a URL that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable} cannot be used")]
pub struct UrlError {
    pub variable: &'static str,
    pub source: ConnectError,
}

/// A database URL that the driver accepts.
pub(crate) struct Target {
    pub(crate) url: String,
    /// The schema of the tables, if the URL names one.
    pub(crate) schema: Option<String>,
    /// Whether each transaction may get another connection to the server.
    pub(crate) is_pooled: bool,
}

impl Target {
    /// Returns the statements that begin each transaction behind a pooler. The driver names its prepared statements,
    /// and the server may still know the same names from another client. Settings must not outlive the transaction.
    pub(crate) fn opening(&self) -> Option<String> {
        let path = self.schema.as_ref().map(|schema| format!(r#"; SET LOCAL search_path = "{schema}""#));
        self.is_pooled.then(|| format!("DEALLOCATE ALL{}", path.unwrap_or_default()))
    }

    /// Parses `postgres://…` or `sqlite:…`. `schema` and `pooler` are our own parameters, unknown to the driver.
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        if !["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(ConnectError::Scheme);
        }
        let parsed = Url::parse(url).map_err(|_error| ConnectError::NotAUrl)?;
        if parsed.scheme() == "sqlite" {
            return Ok(Self { url: url.into(), schema: None, is_pooled: false });
        }
        split_own(parsed)
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

fn split_own(mut url: Url) -> Result<Target, ConnectError> {
    let (mut schema, mut is_pooled, mut others) = (None, false, Vec::new());
    for (name, value) in url.query_pairs() {
        match &*name {
            "schema" => schema = Some(value.into_owned()),
            "pooler" if value == "transaction" => is_pooled = true,
            "pooler" => return Err(ConnectError::Pooler),
            _ => others.push((name.into_owned(), value.into_owned())),
        }
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if schema.as_ref().is_some_and(|schema| schema.is_empty() || !schema.bytes().all(plain)) {
        return Err(ConnectError::Schema);
    }
    if schema.is_some() || is_pooled {
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
    }
    Ok(Target { url: url.into(), schema, is_pooled })
}
