//! Addresses in URLs: the guard checks them for each request. Names are in `names`.

use rstest::rstest;

use crate::receiver::{LONG, OK, Receiver, client, failure, guarded, post};

#[rstest]
#[tokio::test]
async fn private_addresses_get_no_connection_unless_allowed(
    #[values(
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "017700000001",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.0.0.1.",
        "1②7.0.0.①",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "127.0.0.2",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]"
    )]
    host: &str,
) {
    let receiver = Receiver::responding(OK).await;
    let url = receiver.url_at(host);
    assert_eq!(failure(&guarded(LONG, &[]), &url).await, "refused_address");
    assert_eq!(receiver.connections(), 0);
    assert_eq!(post(&client(LONG, &[]), &url).await.unwrap().status, 200, "there is a receiver to refuse");
}

#[rstest]
#[tokio::test]
async fn some_addresses_get_no_connection_even_if_private_ones_are_allowed(
    #[values(
        "0.0.0.0",
        "0",
        "[::]",
        "[::ffff:0.0.0.0]",
        "169.254.169.254",
        "2852039166",
        "0xa9.0xfe.0xa9.0xfe",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "[ff02::1]",
        "255.255.255.255"
    )]
    host: &str,
) {
    let receiver = Receiver::hanging().await;
    for client in [guarded(LONG, &[]), client(LONG, &[])] {
        assert_eq!(failure(&client, &receiver.url_at(host)).await, "refused_address");
    }
    assert_eq!(receiver.connections(), 0);
}

#[rstest]
#[case("http://user:password@127.0.0.1/")]
#[case("http://127.0.0.1/#fragment")]
#[case("ftp://127.0.0.1/")]
#[tokio::test]
async fn stored_urls_are_checked_again(#[case] url: &str) {
    assert_eq!(failure(&client(LONG, &[]), &url.parse().unwrap()).await, "refused_url");
}

#[tokio::test]
async fn https_is_required_unless_plain_http_is_allowed() {
    let config = notify_service::send::ClientConfig {
        allows_private: false,
        timeout: LONG,
        dns_servers: Vec::new(),
        allows_plain_http: false,
    };
    let strict = notify_service::send::Client::new(config).unwrap();
    assert_eq!(failure(&strict, &"http://example.com/".parse().unwrap()).await, "refused_url");
    assert!(strict.check("http://example.com/").is_err() && strict.check("https://example.com/").is_ok());
}
