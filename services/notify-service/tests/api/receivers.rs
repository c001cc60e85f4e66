//! Receivers that respond, and receivers that do everything else.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use rstest::rstest;
use testing::{LIMIT, free_port};
use tokio::io::AsyncWriteExt;

use crate::receiver::{LONG, OK, Receiver, SHORT, client, failure, post, read_request};

/// Fails if a request took much longer than its limit.
async fn bounded<T>(request: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let outcome = request.await;
    assert!(start.elapsed() < SHORT + LIMIT);
    outcome
}

#[tokio::test]
async fn a_request_arrives_with_its_headers_and_body() {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let log = requests.clone();
    let receiver = Receiver::start(move |mut stream| {
        let log = log.clone();
        async move {
            while let Some(request) = read_request(&mut stream).await {
                log.lock().unwrap().push(request);
                stream.write_all(OK.as_bytes()).await.ok()?;
            }
            None
        }
    })
    .await;
    let client = client(LONG, &[]);
    for body in ["{\"a\":1}", ""] {
        let headers = vec![(HeaderName::from_static("webhook-id"), HeaderValue::from_static("msg_1"))];
        let response =
            client.post(&receiver.url(), headers, Bytes::from_static(body.as_bytes())).await.unwrap();
        assert_eq!((response.status, response.body.as_str(), response.retry_after), (200, "ok", None));
    }
    let requests = requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("POST /hook?key=secret HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(
        requests[0].contains("\r\nwebhook-id: msg_1\r\n")
            && requests[0].contains("\r\nuser-agent: DriftSentry/")
    );
    assert!(requests[0].ends_with("\r\n\r\n{\"a\":1}") && requests[1].ends_with("\r\n\r\n"));
    assert_eq!(receiver.connections(), 1, "the second request uses the connection of the first");
}

#[rstest]
#[case("500 Internal Server Error", None)]
#[case("404 Not Found\r\nretry-after: soon", None)]
#[case("429 Too Many Requests\r\nretry-after: 17", Some(17))]
#[case(
    "503 Busy\r\ndate: Sat, 28 Nov 2026 12:00:00 GMT\r\nretry-after: Sat, 28 Nov 2026 12:01:30 GMT",
    Some(90)
)]
#[case("429 Too Many Requests\r\nretry-after: 31536000", Some(86_400))]
#[tokio::test]
async fn each_status_is_a_response(#[case] status: &str, #[case] seconds: Option<u64>) {
    let receiver = Receiver::responding(format!("HTTP/1.1 {status}\r\ncontent-length: 1\r\n\r\n\u{1}")).await;
    let response = post(&client(LONG, &[]), &receiver.url()).await.unwrap();
    assert_eq!(response.status.to_string(), status[..3]);
    assert_eq!(response.retry_after, seconds.map(Duration::from_secs));
    assert_eq!(response.body, "\u{1}");
}

#[rstest]
#[tokio::test]
async fn redirects_are_not_followed(#[values(301, 302, 303, 307, 308)] status: u16) {
    let elsewhere = Receiver::hanging().await;
    for location in [elsewhere.url().to_string(), "/hook".to_owned()] {
        let response =
            format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::responding(response).await;
        assert_eq!(post(&client(LONG, &[]), &receiver.url()).await.unwrap().status, status);
        assert_eq!((receiver.connections(), elsewhere.connections()), (1, 0));
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left() {
    let receiver = Receiver::hanging().await;
    assert_eq!(bounded(failure(&client(SHORT, &[]), &receiver.url())).await, "timeout");
    receiver.is_left_by(1).await;
}

#[tokio::test]
async fn a_receiver_that_dribbles_headers_is_left() {
    let receiver = Receiver::start(async |mut stream| {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await.ok()?;
        dribble(stream).await
    })
    .await;
    assert_eq!(bounded(failure(&client(SHORT, &[]), &receiver.url())).await, "timeout");
    receiver.is_left_by(1).await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_left_and_its_status_counts() {
    let receiver = Receiver::start(async |mut stream| {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 202 Accepted\r\n\r\n").await.ok()?;
        dribble(stream).await
    })
    .await;
    let response = bounded(post(&client(SHORT, &[]), &receiver.url())).await.unwrap();
    assert_eq!(response.status, 202);
    assert!(response.body.starts_with("a") && response.body.len() < 16 * 1024);
    receiver.is_left_by(1).await;
}

/// Sends one byte at a time until the client leaves.
async fn dribble<T>(mut stream: tokio::net::TcpStream) -> Option<T> {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        stream.write_all(b"a").await.ok()?;
    }
}

#[rstest]
#[case("content-length: 10485760\r\n")]
#[case("")]
#[tokio::test]
async fn a_long_body_is_cut(#[case] length: &'static str) {
    let receiver = Receiver::start(move |mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n").as_bytes()).await.ok()?;
        for _ in 0..10_240 {
            stream.write_all(&[b'\xff'; 1024]).await.ok()?;
        }
        panic!("the client took 10 MiB");
    })
    .await;
    let response = post(&client(LONG, &[]), &receiver.url()).await.unwrap();
    assert_eq!((response.status, response.body), (200, "\u{fffd}".repeat(16 * 1024)));
    receiver.is_left_by(1).await;
}

#[tokio::test]
async fn endless_headers_are_refused() {
    let receiver = Receiver::start(async |mut stream| {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.ok()?;
        for _ in 0..10_240 {
            stream.write_all(format!("x: {}\r\n", "a".repeat(1_024)).as_bytes()).await.ok()?;
        }
        panic!("the client took 10 MiB");
    })
    .await;
    assert_eq!(failure(&client(LONG, &[]), &receiver.url()).await, "protocol");
    receiver.is_left_by(1).await;
}

#[tokio::test]
async fn a_connection_that_is_reset_is_reported() {
    let receiver = Receiver::start(async |mut stream| {
        read_request(&mut stream).await?;
        stream.set_zero_linger().ok()?;
        None
    })
    .await;
    assert_eq!(failure(&client(LONG, &[]), &receiver.url()).await, "reset");
    assert_eq!(receiver.connections(), 1);
}

#[rstest]
#[case("")]
#[case("HTTP/1.1 200 OK\r\nhalf")]
#[case("220 mail.example.com ESMTP\r\n")]
#[case("\u{0}\u{1}\u{2}\u{3}garbage\r\n\r\n")]
#[tokio::test]
async fn a_response_that_is_not_http_is_reported(#[case] response: &'static str) {
    let receiver = Receiver::start(move |mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(response.as_bytes()).await.ok()?;
        None
    })
    .await;
    assert_eq!(failure(&client(LONG, &[]), &receiver.url()).await, "protocol");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_port_without_receiver_is_reported() {
    let url = format!("http://127.0.0.1:{}/", free_port()).parse().unwrap();
    assert_eq!(failure(&client(LONG, &[]), &url).await, "connect");
}

#[tokio::test]
async fn a_receiver_without_tls_gets_nothing_at_an_https_address() {
    let receiver = Receiver::start(async |mut stream| {
        stream.write_all(OK.as_bytes()).await.ok()?;
        Some(stream)
    })
    .await;
    let url = format!("https://127.0.0.1:{}/", receiver.port).parse().unwrap();
    assert_eq!(failure(&client(LONG, &[]), &url).await, "tls");
}
