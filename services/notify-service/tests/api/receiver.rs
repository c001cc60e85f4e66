use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use notify_service::send::{Client, ClientConfig, Failure, Response};
use reqwest::Url;
use testing::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Time limit of requests to receivers that never respond.
pub(crate) const SHORT: Duration = Duration::from_secs(1);
/// Time limit of requests that must not reach it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A receiver on all addresses of this machine.
pub(crate) struct Receiver {
    pub port: u16,
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

impl Receiver {
    /// Handles each connection with `handle`, and then keeps it open until the client closes it.
    pub(crate) async fn start<Handled>(handle: impl Fn(TcpStream) -> Handled + Send + 'static) -> Self
    where
        Handled: Future<Output = Option<TcpStream>> + Send + 'static,
    {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (opened, closed) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let receiver = Self { port, opened: opened.clone(), closed: closed.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                let (handled, closed) = (handle(stream), closed.clone());
                tokio::spawn(async move {
                    if let Some(mut stream) = handled.await {
                        while stream.read(&mut [0; 4_096]).await.is_ok_and(|length| length > 0) {}
                    }
                    closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        receiver
    }

    /// Responds with `response` to the first request of each connection.
    pub(crate) async fn responding(response: impl Into<String>) -> Self {
        let response: Arc<str> = response.into().into();
        Self::start(move |mut stream| {
            let response = response.clone();
            async move {
                read_request(&mut stream).await?;
                stream.write_all(response.as_bytes()).await.ok()?;
                Some(stream)
            }
        })
        .await
    }

    /// Accepts connections and never responds.
    pub(crate) async fn hanging() -> Self {
        Self::start(async |stream| Some(stream)).await
    }

    pub(crate) fn url(&self) -> Url {
        self.url_at("127.0.0.1")
    }

    pub(crate) fn url_at(&self, host: &str) -> Url {
        format!("http://{host}:{}/hook?key=secret", self.port).parse().unwrap()
    }

    /// Returns the number of connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// Waits until the client has closed all connections, of which there must be this many.
    pub(crate) async fn is_left_by(&self, connections: usize) {
        eventually("the client to close its connections", async || {
            self.closed.load(Ordering::SeqCst) == connections
        })
        .await;
        assert_eq!(self.connections(), connections);
    }
}

/// Returns the head and the body of a request, or `None` if the client left.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4_096];
        let length = stream.read(&mut bytes).await.ok().filter(|length| *length > 0)?;
        text.push_str(str::from_utf8(&bytes[..length]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let expected = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len() == expected.parse::<usize>().unwrap() {
            return Some(text);
        }
    }
}

/// Returns a client of an operator who allows private addresses.
pub(crate) fn client(timeout: Duration, dns_servers: &[SocketAddr]) -> Client {
    configured(true, timeout, dns_servers)
}

/// Returns a client that reaches public addresses only.
pub(crate) fn guarded(timeout: Duration, dns_servers: &[SocketAddr]) -> Client {
    configured(false, timeout, dns_servers)
}

fn configured(allows_private: bool, timeout: Duration, dns_servers: &[SocketAddr]) -> Client {
    let dns_servers = dns_servers.to_vec();
    Client::new(ClientConfig { allows_private, timeout, dns_servers, allows_plain_http: true }).unwrap()
}

/// Sends a small request.
pub(crate) async fn post(client: &Client, url: &Url) -> Result<Response, Failure> {
    client.post(url, Vec::new(), Bytes::from_static(b"{}")).await
}

/// Sends a request that must fail, and returns the kind of the failure.
pub(crate) async fn failure(client: &Client, url: &Url) -> &'static str {
    post(client, url).await.unwrap_err().kind
}
