//! Clients that continue from the position of a list that they have read.

use rstest::rstest;
use serde_json::json;
use testing::Backend;

use crate::app::App;
use crate::recovery::emit;

#[rstest]
#[actix_web::test]
async fn a_plain_client_that_has_read_a_list_gets_every_later_event(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let token = app.token("alice");
    emit(&app, 3).await;
    // The position that a list has in its header is the newest one that its service has seen.
    let mut other = app.plain(&token).await;
    other.send(&json!({ "type": "subscribe", "room": "alerts", "id": 1 })).await;
    other.next_event("ack").await;
    emit(&app, 1).await;
    let read = other.next_event("alert:closed").await;
    let later = emit(&app, 4).await;
    let mut resume = json!({ "type": "resume", "id": "r", "epoch": read["epoch"], "seq": read["seq"] });
    resume["rooms"] = json!(["alerts", "alerts", "drifts"]);
    let mut client = app.plain(&token).await;
    client.send(&resume).await;
    for id in later {
        assert_eq!(client.next().await["payload"]["id"], id.to_string());
    }
    let ack = client.next_event("ack").await;
    assert_eq!(ack["data"], json!({ "recovered": true, "replayed": 4, "rooms": ["alerts", "drifts"] }));
    let live = emit(&app, 1).await;
    assert_eq!(client.next().await["payload"]["id"], live[0].to_string());
    resume["rooms"] = json!(["user:bob"]);
    let mut curious = app.plain(&token).await;
    curious.send(&resume).await;
    assert_eq!(curious.next_event("ack").await["error"]["code"], "UNKNOWN_ROOM");
}
