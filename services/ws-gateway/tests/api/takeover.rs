//! Clients that resume while their old socket is still open.

use serde_json::json;
use testing::{Backend, eventually};

use crate::app::App;
use crate::recovery::{come_back, cut_off, emit, expect_alerts, plain_half_open};
use crate::stock::{Closed, Stock};

/// Waits until a gateway has written everything that is due so far.
async fn writes_of(app: &App, gateway: usize) {
    let gateway = &app.gateways[gateway];
    gateway.plain(&gateway.token("writer")).await.close().await;
    let holders = async || gateway.platform.backplane().keys.holders("ws:user:writer").await.unwrap();
    eventually("the slot of another user to be released", async || holders().await.is_empty()).await;
}

#[actix_web::test]
async fn a_client_comes_back_to_another_gateway_and_its_half_open_socket_is_replaced() {
    let app = App::start_two(&[]).await;
    let (mut half_open, memory) = cut_off(&app, &app.token("alice"), 1).await;
    let (mut back, answer) = come_back(&app.gateways[1], &memory).await;
    assert_eq!(answer["pid"], memory.private_id);
    assert_eq!(half_open.closed().await.1, Closed(Some(4409)));
    back.event("/", "connection.authorized").await;
    let live = emit(&app, 2).await;
    expect_alerts(&mut back, &live).await;
    let admin = app.gateways[0].admin();
    eventually("one socket in all", async || {
        admin.get("/api/realtime/stats").await.data()["connections"] == 1
    })
    .await;

    drop(back);
    let missed = emit(&app, 2).await;
    let (mut again, answer) = come_back(&app.gateways[0], &memory).await;
    assert_eq!(answer["pid"], memory.private_id, "its private id stays the same");
    expect_alerts(&mut again, &[live, missed].concat()).await;
}

#[actix_web::test]
async fn the_state_of_a_socket_that_was_taken_over_is_gone() {
    let app = App::start_two(&[]).await;
    let token = app.token("alice");
    let (mut half_open, resume) = plain_half_open(&app, &token).await;
    let mut back = app.gateways[1].plain(&token).await;
    back.send(&resume).await;
    assert_eq!(back.next_event("ack").await["data"]["recovered"], true);
    assert_eq!(half_open.closed().await, Some(4409));
    writes_of(&app, 0).await;
    let state = format!("ws:socket:{}", resume["sessionId"].as_str().unwrap());
    assert_eq!(app.platform.backplane().keys.get(&state).await.unwrap(), None);
}

#[actix_web::test]
async fn a_client_that_may_not_resume_yet_can_resume_later() {
    let app = App::start_with(Backend::Memory, &["--gateway-sockets-per-user", "1"]).await;
    let token = app.token("alice");
    let (stock, memory) = cut_off(&app, &token, 1).await;
    drop(stock);
    eventually("the slot to be free", async || app.metric("ws_connections ").await == 0.0).await;
    let other = app.plain(&token).await;
    let missed = emit(&app, 2).await;
    let mut refused = Stock::open(&app).await;
    let auth = json!({ "token": token, "pid": memory.private_id, "offset": memory.offset });
    assert_eq!(refused.refusal("/", &auth).await["data"]["code"], "RATE_LIMITED");
    other.close().await;
    eventually("the slot to be free again", async || app.metric("ws_connections ").await == 0.0).await;
    let (mut back, answer) = come_back(&app, &memory).await;
    assert_eq!(answer["pid"], memory.private_id);
    expect_alerts(&mut back, &missed).await;
}
