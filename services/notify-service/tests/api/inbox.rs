//! An HTTP server that receives messages.

use std::sync::Mutex;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App as Actix, HttpRequest, HttpResponse, HttpServer};
use serde_json::Value;
use testing::eventually;

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

type Answer = dyn Fn(usize, &Received) -> HttpResponse + Send + Sync;

struct Inbox {
    received: Mutex<Vec<Received>>,
    answer: Box<Answer>,
}

/// An HTTP server that receives messages, and answers as a test wants.
pub(crate) struct Receiver {
    inbox: Data<Inbox>,
    port: u16,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        Self::answering(|_, _| HttpResponse::Ok().finish())
    }

    /// The answer depends on the number of requests before, and on the request.
    pub(crate) fn answering(
        answer: impl Fn(usize, &Received) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        let inbox = Data::new(Inbox { received: Mutex::default(), answer: Box::new(answer) });
        let shared = inbox.clone();
        let server =
            HttpServer::new(move || Actix::new().app_data(shared.clone()).default_service(web::to(receive)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        Self { inbox, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }

    /// Waits for that many requests, and returns them.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} messages");
        eventually(&what, async || self.inbox.received.lock().unwrap().len() >= count).await;
        self.received()
    }
}

async fn receive(inbox: Data<Inbox>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let path = request.path().to_owned();
    let received = Received { path, headers, body: serde_json::from_slice(&body).unwrap_or_default() };
    let before = {
        let mut all = inbox.received.lock().unwrap();
        all.push(received.clone());
        all.len() - 1
    };
    (inbox.answer)(before, &received)
}
