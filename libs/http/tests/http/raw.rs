//! Clients that send malformed or slow HTTP, byte by byte.

use std::time::Duration;

use serde_json::Value;
use testing::Backend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::app::App;

const TRICKLE: Duration = Duration::from_millis(50);

async fn connect(app: &App) -> TcpStream {
    TcpStream::connect(app.authority()).await.unwrap()
}

/// Returns everything that the server sends until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    let read = timeout(testing::LIMIT, stream.read_to_end(&mut received)).await;
    read.unwrap().ok();
    String::from_utf8(received).unwrap()
}

fn parts(answer: &str) -> (&str, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {answer:?}"));
    (head, serde_json::from_str(body).unwrap_or_else(|_| panic!("no envelope: {answer:?}")))
}

/// Sends `head` and then single bytes slowly, until the server closes the connection.
async fn trickle(app: &App, head: &str) -> String {
    let (mut reading, mut writing) = connect(app).await.into_split();
    writing.write_all(head.as_bytes()).await.unwrap();
    let sending = tokio::spawn(async move {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(TRICKLE).await;
        }
    });
    let mut received = Vec::new();
    let read = timeout(testing::LIMIT, reading.read_to_end(&mut received)).await;
    sending.abort();
    read.unwrap().ok();
    String::from_utf8(received).unwrap()
}

#[actix_web::test]
async fn a_body_that_trickles_in_is_abandoned_in_every_handler_s69() {
    let app = App::start_with(Backend::Memory, &["--request-body-seconds", "1"]).await;
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n"
        )
    };
    for path in ["/parcels", "/freight"] {
        let answer = trickle(&app, &head(path)).await;
        let (head, body) = parts(&answer);
        assert!(head.starts_with("HTTP/1.1 408 "), "{path}: {head}");
        assert_eq!(body["error"]["code"], "REQUEST_TIMEOUT", "{path}");
    }
    let chunked = "POST /parcels HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n";
    assert!(parts(&trickle(&app, chunked).await).0.starts_with("HTTP/1.1 4"));
    // No handler reads these bodies: the response comes at once, and the connection does not wait for them.
    for (path, status) in [("/nowhere", 404), ("/me", 405)] {
        let answer = trickle(&app, &head(path)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

#[actix_web::test]
async fn a_large_body_may_take_longer_if_it_keeps_coming_s69() {
    let app = App::start_with(Backend::Memory, &["--request-body-seconds", "1"]).await;
    let piece = vec![b' '; 64 * 1024];
    let mut stream = connect(&app).await;
    let head = format!(
        "POST /freight HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        piece.len() * 5
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..5 {
        // 160 KiB per second, for 2 seconds.
        tokio::time::sleep(Duration::from_millis(400)).await;
        stream.write_all(&piece).await.unwrap();
    }
    let answer = rest(&mut stream).await;
    assert_eq!(parts(&answer).1["data"], piece.len() * 5, "{answer}");
}

#[actix_web::test]
async fn a_request_that_is_not_http_or_too_large_gets_the_envelope_s72() {
    let app = App::start(Backend::Memory).await;
    let commas =
        |count: usize| format!("GET /parcels?limit={} HTTP/1.1\r\nhost: x\r\n\r\n", ",".repeat(count));
    let header = format!("GET /parcels HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET /parcels HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    let requests = [
        commas(20_000),
        commas(33_000),
        commas(70_000),
        commas(300_000),
        header,
        many,
        "nonsense\r\n\r\n".into(),
        "GET /parcels HTTP/9.9\r\n\r\n".into(),
        "GET /parcels HTTP/1.1\r\nbad header\r\n\r\n".into(),
        "POST /parcels HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n".into(),
    ];
    for request in requests {
        let mut stream = connect(&app).await;
        // The server may close the connection before the whole request is sent.
        stream.write_all(request.as_bytes()).await.ok();
        stream.shutdown().await.ok();
        let answer = rest(&mut stream).await;
        let (head, body) = parts(&answer);
        let shown = &request[..request.len().min(60)];
        assert!(head.starts_with("HTTP/1.1 400 "), "{shown}: {head}");
        assert_eq!(body["error"]["code"], "VALIDATION_ERROR", "{shown}");
        assert_eq!(body["error"]["requestId"].as_str().unwrap().len(), 36, "{shown}");
        assert!(head.to_lowercase().contains("x-request-id: "), "{shown}");
    }
}
