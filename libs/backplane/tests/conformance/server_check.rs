//! Servers that Sentinels and clusters name are checked before a connection without TLS.

use std::error::Error;

use backplane::{Backplane, Options, ServerCheck};
use testing::{PrivateCluster, PrivateSentinels};

use super::failover::connect;
use super::{entry, options};

const KEY: &str = "{driftsentry}:log";

/// Asserts that the backplane connects to no server that only others name, and says why.
async fn assert_refused(url: &str) {
    let server_check = ServerCheck::new(|_, _| false);
    let backplane = Backplane::connect(url, Options { server_check, ..options() }).unwrap();
    let error = backplane.log.append(&[entry("refused")]).await.unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("REDIS_URL leads to a server at a public address without TLS"), "{cause}");
    assert!(!backplane.is_connected());
}

#[tokio::test]
async fn a_primary_that_the_sentinels_name_is_refused_if_the_check_refuses_it() {
    let group = PrivateSentinels::start().await;
    assert_refused(&group.url()).await;
    assert!(!group.servers()[0].dump().await.iter().any(|text| text.contains("refused")));
}

#[tokio::test]
async fn a_member_that_only_the_cluster_names_is_refused_if_the_check_refuses_it() {
    let cluster = PrivateCluster::start().await;
    let holder = cluster.holder_of(KEY).await.url();
    let other = cluster.members().iter().map(|member| member.url()).find(|url| *url != holder).unwrap();
    let url = other.replace("redis://", "redis+cluster://");
    assert_refused(&url).await;
    connect(&url).await;
    // The operator has named this member, and its address was checked at the start.
    let named = holder.replace("redis://", "redis+cluster://");
    let server_check = ServerCheck::new(|_, _| false);
    let backplane = Backplane::connect(&named, Options { server_check, ..options() }).unwrap();
    super::append(&backplane, &[entry("accepted")]).await;
}
