//! Reads with a position: a list and a stream without a gap, and reads that are not older than an event.

use rstest::rstest;
use testing::{Answer, Backend, StatusCode, eventually};

use crate::app::App;
use crate::lifecycle::report;

fn position(answer: &Answer) -> (String, u64) {
    let text = answer.header("x-position");
    let (epoch, seq) = text.rsplit_once(':').unwrap();
    (epoch.into(), seq.parse().unwrap())
}

#[rstest]
#[actix_web::test]
async fn the_position_of_a_list_is_not_newer_than_its_rows(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    eventually("a position", async || {
        app.anonymous.get("/api/v1/drifts").await.headers.contains_key("x-position")
    })
    .await;
    // Every event up to the position of a list is of a drift that the list has, while drifts are added.
    let adding = async {
        for index in 0..40 {
            engineer.post("/api/v1/drifts", &report(&format!("i-{index}"), 1)).await.data();
        }
    };
    let reading = async {
        loop {
            let answer = app.anonymous.get("/api/v1/drifts?limit=100").await;
            let (epoch, seq) = position(&answer);
            let rows = answer.expect(StatusCode::OK)["data"].as_array().unwrap().clone();
            for event in app.events_of("drift:created") {
                let is_before = event["epoch"] == *epoch && event["seq"].as_u64().unwrap() <= seq;
                let is_listed = rows.iter().any(|row| row["id"] == event["payload"]["id"]);
                assert!(is_listed || !is_before, "{event}, at {seq}");
            }
            if rows.len() == 40 {
                return;
            }
        }
    };
    tokio::join!(adding, reading);
    for path in [
        "/api/v1/alerts",
        "/api/v1/stacks",
        "/api/v1/scans",
        "/api/v1/drifts/facets",
        "/api/v1/metrics/summary",
        "/api/v1/metrics/trend",
    ] {
        position(&app.anonymous.get(path).await);
    }
    position(&app.viewer().get("/api/v1/drifts/groups").await);
    position(&app.viewer().get("/api/v1/drifts/export?format=csv").await);
}

#[rstest]
#[actix_web::test]
async fn a_read_waits_for_an_event_at_every_replica(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let others = match backend {
        Backend::Memory => vec![],
        Backend::Real => vec![app.replica().await, app.replica().await],
    };
    let id = app.engineer().post("/api/v1/drifts", &report("i-1", 1)).await.data()["id"].clone();
    let event = app.expect_events("drift:created", 1).await.remove(0);
    let seen = format!("{}:{}", event["epoch"].as_str().unwrap(), event["seq"]);
    for replica in others.iter().chain([&app]) {
        let reader = replica.anonymous.with_header("if-position-at-least", &seen);
        let answer = reader.get("/api/v1/drifts").await;
        assert!(position(&answer).1 >= event["seq"].as_u64().unwrap());
        assert_eq!(answer.expect(StatusCode::OK)["data"][0]["id"], id);
    }
    // A read that waits sees the event that arrives meanwhile.
    let next = format!("{}:{}", event["epoch"].as_str().unwrap(), event["seq"].as_u64().unwrap() + 1);
    let reader = app.anonymous.with_header("if-position-at-least", &next);
    let (answer, _) = tokio::join!(reader.get("/api/v1/drifts"), async {
        app.engineer().post("/api/v1/drifts", &report("i-2", 1)).await.data()
    });
    assert_eq!(answer.expect(StatusCode::OK)["data"].as_array().unwrap().len(), 2);
    let unreadable = app.anonymous.with_header("if-position-at-least", "no position");
    unreadable.get("/api/v1/drifts").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let exhausted =
        app.anonymous.with_header("if-position-at-least", "another:1").get("/api/v1/drifts").await;
    let details = exhausted.error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    assert!(details["details"]["position"].as_str().unwrap().starts_with(event["epoch"].as_str().unwrap()));
}
