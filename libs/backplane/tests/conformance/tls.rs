//! Connections to Redis with TLS.

use backplane::{Backplane, ClientCertificate, Tls};
use testing::{Authority, Identity, PrivateCluster, PrivateRedis, PrivateSentinels, eventually};

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
    backplane.log.append(&[entry("one")]).await.unwrap();
}

/// Waits until connecting was tried, and checks that no command got through. Returns the causes of the error.
async fn assert_refused(backplane: &Backplane) -> String {
    let error = backplane.log.append(&[entry("one")]).await.unwrap_err();
    assert_eq!(error.to_string(), "Redis (REDIS_URL) is unavailable");
    assert!(!backplane.is_connected());
    let causes = std::iter::successors(std::error::Error::source(&error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
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

#[tokio::test]
async fn sentinels_and_their_servers_are_reached_with_tls_and_a_user() {
    let authority = Authority::default();
    let group = PrivateSentinels::start_with_tls(&authority, "app", "p@ss").await;
    let url = |password: &str| {
        format!("{}?sentinel_user=app&sentinel_password={password}", group.tls_url("app:p%40ss"))
    };
    let backplane = connect(&url("p%40ss"), &authority, None);
    assert_works(&backplane).await;
    let clients = group.servers()[0].command(&["CLIENT", "LIST", "TYPE", "pubsub"]).await;
    assert!(clients.contains("user=app"), "{clients}");

    let error = assert_refused(&connect(&url("wrong"), &authority, None)).await;
    assert!(error.contains("WRONGPASS") || error.contains("authentication failed"), "{error}");
    let error = assert_refused(&connect(&url("p%40ss"), &Authority::default(), None)).await;
    assert!(error.contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn a_cluster_is_reached_with_tls_and_a_user() {
    let authority = Authority::default();
    let cluster = PrivateCluster::start_with_tls(&authority, "app", "p@ss").await;
    let backplane = connect(&cluster.tls_url("app:p%40ss"), &authority, None);
    assert_works(&backplane).await;
    let holder = cluster.holder_of("{driftsentry}:log").await;
    let clients = holder.command(&["CLIENT", "LIST", "TYPE", "pubsub"]).await;
    assert!(clients.contains("user=app"), "{clients}");

    assert_refused(&connect(&cluster.tls_url("app:wrong"), &authority, None)).await;
    let error = assert_refused(&connect(&cluster.tls_url("app:p%40ss"), &Authority::default(), None)).await;
    assert!(error.contains("UnknownIssuer"), "{error}");
}
