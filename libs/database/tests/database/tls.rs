//! Connections to PostgreSQL with TLS.

use backplane::Backplane;
use contracts::Clock;
use database::{Database, UrlError};
use tempfile::TempDir;
use testing::{Authority, Identity, PrivatePostgres};

use crate::{Migrator, options};

/// The files of a client.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { folder }
    }

    fn with(self, client: &Identity) -> Self {
        std::fs::write(self.folder.path().join("client.pem"), &client.certificate).unwrap();
        std::fs::write(self.folder.path().join("client.key"), &client.key).unwrap();
        self
    }

    /// The parameters that verify the server.
    fn verifying(&self) -> String {
        format!("sslmode=verify-full&sslrootcert={}/ca.pem", self.folder.path().display())
    }

    /// The parameters that also show a certificate.
    fn showing(&self) -> String {
        let folder = self.folder.path().display();
        format!("{}&sslcert={folder}/client.pem&sslkey={folder}/client.key", self.verifying())
    }
}

async fn connect(server: &PrivatePostgres, host: &str, parameters: &str) -> Result<Database, UrlError> {
    let clock = Clock::system();
    let backplane = Backplane::connect("memory:", options(&clock)).unwrap();
    Database::connect::<Migrator>(&server.url_at(host, parameters), backplane.log, clock).await
}

async fn refusal(server: &PrivatePostgres, host: &str, parameters: &str) -> String {
    connect(server, host, parameters).await.unwrap_err().source.to_string()
}

#[tokio::test]
async fn the_server_is_verified_as_the_url_demands() {
    let authority = Authority::default();
    let server = PrivatePostgres::start_with_tls(&authority, &authority.issue("localhost"), false);
    let (own, other) = (Files::of(&authority), Files::of(&Authority::default()));
    connect(&server, "localhost", "sslmode=require").await.unwrap();
    connect(&server, "localhost", &own.verifying()).await.unwrap();

    let unknown = refusal(&server, "localhost", &other.verifying()).await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    // The platform does not know the authority.
    let unknown = refusal(&server, "localhost", "sslmode=verify-full").await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let other_host = refusal(&server, "127.0.0.1", &own.verifying()).await;
    assert!(other_host.contains("not valid for name"), "{other_host}");
    connect(&server, "localhost", "sslmode=disable").await.unwrap_err();
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::default();
    let server = PrivatePostgres::start_with_tls(&authority, &authority.issue_expired("localhost"), false);
    let expired = refusal(&server, "localhost", &Files::of(&authority).verifying()).await;
    assert!(expired.contains("expired"), "{expired}");
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let authority = Authority::default();
    let server = PrivatePostgres::start_with_tls(&authority, &authority.issue("localhost"), true);
    let files = Files::of(&authority).with(&authority.issue("drift-service"));
    connect(&server, "localhost", &files.showing()).await.unwrap();
    connect(&server, "localhost", &files.verifying()).await.unwrap_err();
    let stranger = Files::of(&authority).with(&Authority::default().issue("drift-service"));
    connect(&server, "localhost", &stranger.showing()).await.unwrap_err();
}
