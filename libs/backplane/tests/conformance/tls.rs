//! Connections to Redis with TLS.

use backplane::{Backplane, ClientCertificate, Tls};
use testing::{Authority, Identity, PrivateRedis, eventually};

use crate::{entry, options};

fn connect(url: &str, authority: &Authority, client: Option<Identity>) -> Backplane {
    let client = client.map(|Identity { certificate, key }| ClientCertificate {
        certificate: certificate.into(),
        key: key.into(),
    });
    let tls = Tls { authority: Some(authority.pem().into()), client };
    Backplane::connect(url, backplane::Options { tls, ..options() }).unwrap()
}

async fn assert_works(backplane: &Backplane) {
    eventually("the backplane is heard", async || backplane.is_connected()).await;
    backplane.append(&[entry("one")]).await.unwrap();
}

/// Waits until connecting was tried, and checks that no command got through.
async fn assert_refused(backplane: &Backplane) -> String {
    let error = backplane.append(&[entry("one")]).await.unwrap_err().to_string();
    assert!(!backplane.is_connected());
    error
}

#[tokio::test]
async fn a_connection_with_tls_trusts_the_given_authority_only() {
    let (authority, other) = (Authority::default(), Authority::default());
    let redis = PrivateRedis::start_with_tls(&authority, &authority.issue("localhost"), false);
    assert_works(&connect(&redis.tls_url("localhost"), &authority, None)).await;

    let error = assert_refused(&connect(&redis.tls_url("localhost"), &other, None)).await;
    assert!(error.contains("UnknownIssuer"), "{error}");
    let error = assert_refused(&connect(&redis.tls_url("127.0.0.1"), &authority, None)).await;
    assert!(error.contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::default();
    let redis = PrivateRedis::start_with_tls(&authority, &authority.issue_expired("localhost"), false);
    let error = assert_refused(&connect(&redis.tls_url("localhost"), &authority, None)).await;
    assert!(error.contains("expired"), "{error}");
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let authority = Authority::default();
    let redis = PrivateRedis::start_with_tls(&authority, &authority.issue("localhost"), true);
    let url = redis.tls_url("localhost");
    assert_works(&connect(&url, &authority, Some(authority.issue("gateway")))).await;
    assert_refused(&connect(&url, &authority, None)).await;
    assert_refused(&connect(&url, &authority, Some(Authority::default().issue("gateway")))).await;
}
