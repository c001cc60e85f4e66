//! Names that lead to addresses inside, on a DNS server of the attacker.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{RData, RecordType};
use rstest::rstest;
use tokio::net::UdpSocket;

use crate::dns_server::DnsServer;
use crate::receiver::{LONG, OK, Receiver, SHORT, client, failure, guarded, post};

/// Global, but routed nowhere since 2006, so that connections to it reach no host.
const PUBLIC: &str = "3ffe::1";

/// Returns those of the addresses that a record of this type can have.
fn records(kind: RecordType, addresses: &[&str]) -> Vec<RData> {
    let records = addresses.iter().map(|address| match address.parse::<IpAddr>().unwrap() {
        IpAddr::V4(ip) => RData::A(ip.into()),
        IpAddr::V6(ip) => RData::AAAA(ip.into()),
    });
    records.filter(|record| record.record_type() == kind).collect()
}

#[rstest]
#[case(&["127.0.0.1"], true)]
#[case(&["::1"], true)]
#[case(&["::ffff:127.0.0.1"], true)]
#[case(&["127.0.0.1", PUBLIC], true)]
#[case(&["::1", PUBLIC], true)]
#[case(&["1.1.1.1", "127.0.0.1"], false)]
#[case(&["10.0.0.1"], false)]
#[case(&["169.254.169.254"], false)]
#[case(&["0.0.0.0"], false)]
#[case(&["64:ff9b::7f00:1"], false)]
#[tokio::test]
async fn a_name_with_an_address_inside_gets_no_connection(
    #[case] addresses: &'static [&'static str],
    #[case] is_reachable: bool,
) {
    let dns = DnsServer::start(|_, kind, _| records(kind, addresses)).await;
    let receiver = Receiver::responding(OK).await;
    let url = receiver.url_at("inside.example");
    assert!(
        guarded(LONG, &[dns.address]).check(url.as_str()).is_ok(),
        "only the connection shows the address"
    );
    assert_eq!(failure(&guarded(LONG, &[dns.address]), &url).await, "refused_address");
    assert_eq!(receiver.connections(), 0);
    if is_reachable {
        let response = post(&client(LONG, &[dns.address]), &url).await;
        assert_eq!(response.unwrap().status, 200, "there is a receiver to refuse");
    }
}

#[tokio::test]
async fn an_alias_of_a_name_inside_gets_no_connection() {
    let dns = DnsServer::start(|name, kind, _| match name {
        "outside.example." => vec![RData::CNAME(CNAME("middle.example.".parse().unwrap()))],
        "middle.example." => vec![RData::CNAME(CNAME("inside.internal.".parse().unwrap()))],
        _ => records(kind, &["127.0.0.1"]),
    })
    .await;
    let receiver = Receiver::responding(OK).await;
    let url = receiver.url_at("outside.example");
    assert_eq!(failure(&guarded(LONG, &[dns.address]), &url).await, "refused_address");
    assert_eq!(receiver.connections(), 0);
    assert_eq!(post(&client(LONG, &[dns.address]), &url).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_name_that_moves_inside_gets_no_connection() {
    let dns = DnsServer::start(|_, kind, earlier| match earlier {
        0 => records(kind, &[PUBLIC]),
        _ => records(kind, &["127.0.0.1"]),
    })
    .await;
    let receiver = Receiver::responding(OK).await;
    // Long enough for the DNS server, also on a busy machine.
    let client = guarded(Duration::from_secs(5), &[dns.address]);
    let url = receiver.url_at("moving.example");
    assert!(matches!(failure(&client, &url).await, "connect" | "timeout"), "a public address is tried");
    assert_eq!(
        dns.queries("moving.example.", RecordType::A),
        1,
        "the checked address is the one that is tried"
    );
    assert_eq!(failure(&client, &url).await, "refused_address");
    assert_eq!(dns.queries("moving.example.", RecordType::A), 2);
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn this_machine_has_no_name() {
    let receiver = Receiver::responding(OK).await;
    for name in ["localhost", "LOCALHOST.", "hook.localhost"] {
        assert_eq!(failure(&guarded(LONG, &[]), &receiver.url_at(name)).await, "refused_address");
    }
    assert_eq!(receiver.connections(), 0);
    assert_eq!(post(&client(LONG, &[]), &receiver.url_at("localhost")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_name_without_addresses_is_reported() {
    let dns = DnsServer::start(|_, _, _| Vec::new()).await;
    let url = "http://nowhere.example/".parse().unwrap();
    assert_eq!(failure(&client(LONG, &[dns.address]), &url).await, "dns");
}

#[tokio::test]
async fn a_dns_server_that_is_silent_delays_no_longer_than_the_limit() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let client = client(SHORT, &[silent.local_addr().unwrap()]);
    assert_eq!(failure(&client, &"http://nowhere.example/".parse().unwrap()).await, "timeout");
}
