//! A client that does not read costs little, and nobody else anything.

use std::time::Instant;

use serde_json::json;
use testing::{Backend, Socket, eventually};

use crate::app::App;

#[actix_web::test]
async fn a_client_that_stops_reading_is_closed_and_the_others_lose_nothing() {
    let app = App::start(Backend::Memory).await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(app.plain(&app.token("bob")).await);
    }
    let stalled: Socket = app.plain(&app.token("alice")).await;
    let padding = "x".repeat(16 * 1024);
    let started = Instant::now();
    let (mut sent, code) = (0, "ws_disconnects_total{code=\"4503\"}");
    while app.metric(code).await == 0.0 {
        for _ in 0..20 {
            app.publish("ws:all", None, json!({ "n": sent, "padding": padding })).await;
            sent += 1;
        }
        for other in &mut others {
            for n in sent - 20..sent {
                assert_eq!(other.next().await["payload"]["n"], n);
            }
        }
        assert!(started.elapsed().as_secs() < 60, "it was never closed");
    }
    eventually("the socket to be gone", async || app.metric("ws_connections ").await == 20.0).await;
    drop(stalled);
}
