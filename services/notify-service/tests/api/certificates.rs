//! Certificates of receivers. A process of its own sends the requests, because the trusted authorities are those of the
//! process.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use reqwest::Url;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use testing::{Authority, Identity, free_port};

use crate::receiver::{LONG, OK, client, post};

const URLS: &str = "NOTIFY_SERVICE_TEST_URLS";
const TEST: &str = "certificates::trusted_receivers_are_reached_without_a_proxy_and_no_others";

#[tokio::test]
async fn trusted_receivers_are_reached_without_a_proxy_and_no_others() {
    if let Ok(urls) = env::var(URLS) {
        return send(&urls).await;
    }
    let authority = Authority::default();
    let urls = [
        receiver(&authority.issue("127.0.0.1")),
        receiver(&authority.issue_expired("127.0.0.1")),
        receiver(&authority.issue("127.0.0.2")),
        receiver(&authority.issue("receiver.example")),
        receiver(&Authority::default().issue("127.0.0.1")),
    ];
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("authority.pem");
    fs::write(&trusted, authority.pem()).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", TEST])
        .env("SSL_CERT_FILE", &trusted)
        // Nothing listens there, so that each request fails if it uses the proxy.
        .env("ALL_PROXY", format!("http://127.0.0.1:{}", free_port()))
        .env(URLS, urls.join(" "))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("outcomes: 200 tls tls tls tls\n"), "{text}");
}

/// Sends a request to each URL, and prints the statuses and failures.
#[expect(clippy::print_stdout, reason = "the first process reads the output")]
async fn send(urls: &str) {
    let client = client(LONG, &[]);
    let mut outcomes = String::new();
    for url in urls.split(' ') {
        outcomes += &match post(&client, &url.parse::<Url>().unwrap()).await {
            Ok(response) => format!(" {}", response.status),
            Err(failure) => format!(" {}", failure.kind),
        };
    }
    println!("outcomes:{outcomes}");
}

/// Starts a receiver with this certificate on 127.0.0.1, and returns its URL.
fn receiver(identity: &Identity) -> String {
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    let (config, listener) = (Arc::new(config.unwrap()), TcpListener::bind("127.0.0.1:0").unwrap());
    let url = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(config).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let mut request = [0; 4_096];
        let mut length = 0;
        while !request[..length].ends_with(b"{}") {
            // A client that refuses the certificate leaves with an alert.
            let Ok(read @ 1..) = stream.read(&mut request[length..]) else { return };
            length += read;
        }
        stream.write_all(OK.as_bytes()).unwrap();
    });
    url
}
