//! Settings of servers of Redis, as arguments or lines of a file.

use tempfile::TempDir;

use crate::tls::{Authority, TlsFiles};

pub(crate) type Settings = Vec<(&'static str, String)>;

/// The user of Redis as which replicas log in at their primary.
pub(crate) const REPLICATION: &str = "replication";

/// Returns the settings of a server with replicas, or with a primary.
pub(crate) fn replication_settings() -> Settings {
    vec![
        ("user", format!("{REPLICATION} on >{REPLICATION} ~* &* +@all")),
        ("masteruser", REPLICATION.to_owned()),
        ("masterauth", REPLICATION.to_owned()),
    ]
}

/// Returns the settings for TLS between all servers, and for a user with all permissions. The folder has the certificates.
pub(crate) fn tls_settings(authority: &Authority, user: &str, password: &str) -> (TempDir, Settings) {
    let folder = new_folder();
    let files = TlsFiles::write(folder.path(), authority, &authority.issue("127.0.0.1"));
    let mut settings = files.settings().to_vec();
    for (name, value) in [("tls-replication", "yes"), ("tls-cluster", "yes"), ("tls-auth-clients", "no")] {
        settings.push((name, value.to_owned()));
    }
    settings.push(("user", format!("{user} on >{password} ~* &* +@all")));
    (folder, settings)
}

pub(crate) fn new_folder() -> TempDir {
    tempfile::Builder::new().prefix("redis-").tempdir().expect("a temporary folder")
}
