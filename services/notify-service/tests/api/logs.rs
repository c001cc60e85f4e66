//! The log, with all lines of the libraries.

use std::net::Ipv4Addr;
use std::sync::Arc;

use hickory_resolver::proto::rr::{RData, RecordType};
use testing::free_port;
use tracing_subscriber::filter::LevelFilter;

use crate::dns_server::DnsServer;
use crate::receiver::{LONG, OK, Receiver, client, failure, guarded, post};

#[tokio::test]
async fn urls_get_into_no_log() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let file = Arc::new(log.reopen().unwrap());
    let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(file);
    let guard = tracing::subscriber::set_default(lines.finish());
    let dns = DnsServer::start(|_, kind, _| match kind {
        RecordType::A => vec![RData::A(Ipv4Addr::LOCALHOST.into())],
        _ => Vec::new(),
    })
    .await;
    let (client, guarded) = (client(LONG, &[dns.address]), guarded(LONG, &[dns.address]));
    let (receiver, garbage) = (Receiver::responding(OK).await, Receiver::responding("garbage\r\n\r\n").await);
    let url = receiver.url_at("receiver.example");
    assert!(url.as_str().ends_with("?key=secret"));
    assert_eq!(post(&client, &url).await.unwrap().status, 200);
    assert_eq!(failure(&guarded, &url).await, "refused_address");
    assert_eq!(failure(&client, &garbage.url()).await, "protocol");
    let nowhere = format!("http://127.0.0.1:{}/hook?key=secret", free_port());
    assert_eq!(failure(&client, &nowhere.parse().unwrap()).await, "connect");
    drop(guard);
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("receiver.example"), "the libraries log: {log}");
    assert!(!log.contains("secret") && !log.contains("hook"), "{log}");
}
