//! Many receivers at once.

use std::net::Ipv4Addr;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::{RData, RecordType};
use reqwest::Url;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::select;

use crate::dns_server::DnsServer;
use crate::receiver::{LONG, OK, Receiver, client, post};

#[tokio::test]
async fn a_hundred_hanging_receivers_delay_no_other() {
    let client = client(LONG, &[]);
    let (hanging, healthy) = (Receiver::hanging().await, Receiver::responding(OK).await);
    let (hanging_url, healthy_url) = (hanging.url(), healthy.url());
    let hung = join_all((0..100).map(|_| post(&client, &hanging_url)));
    let responses = async {
        testing::eventually("the connections that hang", async || hanging.connections() == 100).await;
        join_all((0..100).map(|_| post(&client, &healthy_url))).await
    };
    select! {
        _ = hung => panic!("a receiver that hangs responded"),
        responses = responses => assert!(responses.iter().all(|response| response.as_ref().unwrap().status == 200)),
    }
    hanging.is_left_by(100).await;
}

#[tokio::test]
async fn a_thousand_hosts_are_reached_at_once() {
    // Both ends of each connection are files of this process.
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let dns = DnsServer::start(|_, kind, _| match kind {
        RecordType::A => vec![RData::A(Ipv4Addr::LOCALHOST.into())],
        _ => Vec::new(),
    })
    .await;
    let client = client(LONG, &[dns.address]);
    let receiver = Receiver::responding(OK).await;
    let urls = (0..1_000).map(|host| receiver.url_at(&format!("host-{host}.example"))).collect::<Vec<Url>>();
    let responses = join_all(urls.iter().map(|url| post(&client, url))).await;
    assert!(responses.iter().all(|response| response.as_ref().unwrap().status == 200));
    assert_eq!(receiver.connections(), 1_000);
}
