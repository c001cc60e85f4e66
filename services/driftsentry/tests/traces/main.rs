//! The trace of a request, from its caller through an event on Redis to a socket of another process, in the
//! log and at a collector.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

use std::path::Path;

use actix_web::dev::ServerHandle;
use actix_web::web::{Bytes, Data, post};
use actix_web::{App, HttpResponse, HttpServer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue as Text;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use serde_json::{Value, json};
use testing::{Client, PrivateRedis, Process, Socket, StatusCode, eventually, free_port};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const BINARY: &str = env!("CARGO_BIN_EXE_driftsentry");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A collector that keeps the spans it receives.
struct Collector {
    url: String,
    server: ServerHandle,
    received: UnboundedReceiver<Bytes>,
}

impl Collector {
    fn start() -> Self {
        let (sender, received) = unbounded_channel();
        let take = async |body: Bytes, sender: Data<UnboundedSender<Bytes>>| {
            sender.send(body).unwrap();
            HttpResponse::Ok().finish()
        };
        let app = move || App::new().app_data(Data::new(sender.clone())).route("/v1/traces", post().to(take));
        let server = HttpServer::new(app).workers(1).bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, server: handle, received }
    }

    /// Returns all spans so far, with the names of their services.
    async fn spans(mut self) -> Vec<(String, Span)> {
        self.server.stop(true).await;
        let mut spans = Vec::new();
        while let Ok(body) = self.received.try_recv() {
            for part in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
                let attributes = part.resource.unwrap().attributes;
                let name = attributes.into_iter().find(|pair| pair.key == "service.name").unwrap();
                let Some(Text(name)) = name.value.unwrap().value else { panic!("a name that is not a text") };
                let of_service = part.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.extend(of_service.map(|span| (name.clone(), span)));
            }
        }
        spans
    }
}

/// One of several processes that share secrets and Redis.
struct Node {
    process: Process,
    client: Client,
    _data: tempfile::TempDir,
}

impl Node {
    async fn start(name: &str, redis: &PrivateRedis, collector: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (port, folder, redis) = (free_port().to_string(), data.path().display().to_string(), redis.url());
        let environment = [
            ("BCRYPT_COST", "4"),
            ("JWT_ACCESS_SECRET", "0123456789abcdef0123456789abcdef"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
            ("OTEL_SERVICE_NAME", name),
            ("REDIS_URL", &redis),
            ("RUST_LOG", "info,ws_gateway=debug"),
        ];
        let arguments = ["--host", "127.0.0.1", "--port", &port, "--data-dir", &folder];
        let mut process = Process::spawn(Path::new(BINARY), &arguments, environment);
        let base = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&base).await;
        Self { process, client: Client::new(base), _data: data }
    }

    async fn stop(mut self) {
        self.process.terminate();
        assert!(self.process.ended().await.success());
    }

    /// Returns the log lines with this message.
    fn lines(&self, message: &str) -> Vec<Value> {
        let log = self.process.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }
}

async fn token(node: &Node) -> String {
    let credentials = json!({"email": "engineer@driftsentry.local", "password": "engineer123"});
    let login = node.client.post("/api/auth/login", &credentials).await.expect(StatusCode::OK);
    login["data"]["accessToken"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_trace_leads_from_the_request_to_the_sockets_of_another_process() {
    let (redis, collector) = (PrivateRedis::start(), Collector::start());
    let asked = Node::start("asked", &redis, &collector.url).await;
    let tells = Node::start("tells", &redis, &collector.url).await;
    let token = token(&asked).await;
    let url = format!("{}/ws", tells.client.base().replace("http", "ws"));
    let mut socket = Socket::connect_with(&url, &[("authorization", &format!("Bearer {token}"))]).await;
    socket.next_event("connection.authorized").await;
    socket.send(&json!({"type": "subscribe", "room": "drifts", "id": 1})).await;
    socket.next_event("ack").await;

    let drift = json!({"resourceId": "i-1", "resourceType": "aws_instance", "region": "eu-west-1"});
    let traceparent = format!("00-{TRACE}-{CALLER}-01");
    let caller = asked.client.with_token(&token).with_header("traceparent", &traceparent);
    caller.post("/api/v1/drifts", &drift).await.expect(StatusCode::CREATED);
    let event = socket.next_event("drift:created").await;
    assert!(event.get("traceparent").is_none(), "{event}");

    let in_trace =
        |node: &Node, message| node.lines(message).into_iter().find(|line| line["span"]["trace_id"] == TRACE);
    eventually("both logs to name the trace", async || {
        in_trace(&asked, "answered").is_some() && in_trace(&tells, "delivered").is_some()
    })
    .await;
    let untraced =
        asked.lines("answered").into_iter().find(|line| line["path"] == "/api/auth/login").unwrap();
    assert_eq!(untraced["span"]["trace_id"].as_str().unwrap().len(), 32);

    asked.stop().await;
    tells.stop().await;
    let spans = collector.spans().await;
    let find = |service: &str, name: &str, parent: &str| {
        let found = spans.iter().find(|(of, span)| {
            let ids = (hex::encode(&span.trace_id), hex::encode(&span.parent_span_id));
            of == service && span.name == name && ids == (TRACE.into(), parent.into())
        });
        found.unwrap_or_else(|| panic!("{service} sent no such {name}: {spans:#?}")).1.clone()
    };
    let request = find("asked", "POST /api/v1/drifts", CALLER);
    assert_eq!(request.kind(), SpanKind::Server);
    find("tells", "deliver", &hex::encode(&request.span_id));
    let names = spans.iter().map(|(_, span)| span.name.as_str()).collect::<Vec<_>>();
    assert!(!names.iter().any(|name| name.contains("probe") || name.contains("/ready")), "{names:?}");
}

#[actix_web::test]
async fn an_endpoint_that_is_not_a_url_stops_the_process_with_its_name() {
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url")];
    let mut process = Process::spawn(Path::new(BINARY), &[], environment);
    assert!(!process.ended().await.success());
    process.wait_for_log("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL").await;
}
