//! Digests, quiet hours, groups of scans, and repeats.

use chrono::TimeDelta;
use contracts::drift::Severity;
use contracts::events::scan::ScanStored;
use contracts::scan::Completeness;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, eventually};
use uuid::Uuid;

use crate::app::App;
use crate::events::{created, updated};
use crate::inbox::Receiver;

#[rstest]
#[actix_web::test]
async fn a_digest_has_everything_of_its_interval_and_is_one_message(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (digests, at_once) = (Receiver::start(), Receiver::start());
    app.webhook(&digests, json!({"schedule": {"digestMinutes": 30}})).await;
    app.webhook(&at_once, json!({})).await;
    let drifts: Vec<Uuid> = (0..25).map(|_| Uuid::now_v7()).collect();
    let entries = drifts.iter().map(|id| app.entry(created(*id, "prod", Severity::Warning)));
    app.publish(&entries.collect::<Vec<_>>()).await;
    at_once.wait(25).await;
    assert_eq!(digests.received().len(), 0);
    app.advance(TimeDelta::minutes(31));
    let digest = digests.wait(1).await.remove(0).body;
    assert_eq!((&digest["type"], &digest["data"]["count"]), (&json!("notification.digest"), &json!(25)));
    let named: Vec<_> = digest["data"]["events"].as_array().unwrap().iter().collect();
    assert_eq!(named.len(), 25);
    assert_eq!(named[24]["data"]["id"], json!(drifts[24]), "in the order of the events");
    app.drift("prod", Severity::Warning).await;
    at_once.wait(26).await;
    app.advance(TimeDelta::minutes(31));
    assert_eq!(digests.wait(2).await[1].body["type"], "drift:created", "one event needs no digest");
}

#[rstest]
#[actix_web::test]
async fn quiet_hours_hold_messages_back_until_their_end(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let receiver = Receiver::start();
    let now = app.platform.clock().now();
    let time = |minutes| (now + TimeDelta::minutes(minutes)).format("%H:%M").to_string();
    let quiet = json!({"from": time(-60), "to": time(60), "timeZone": "UTC", "exceptCritical": true});
    app.webhook(&receiver, json!({"schedule": {"quietHours": quiet}})).await;
    let held = app.drift("prod", Severity::Warning).await;
    let urgent = app.drift("prod", Severity::Critical).await;
    assert_eq!(receiver.wait(1).await[0].body["data"]["id"], json!(urgent));
    app.advance(TimeDelta::minutes(61));
    assert_eq!(receiver.wait(2).await[1].body["data"]["id"], json!(held));
}

fn scan(stack: &str, created: usize, created_critical: usize) -> ScanStored {
    ScanStored {
        id: Uuid::now_v7(),
        stack: stack.into(),
        completeness: Completeness::Complete,
        created,
        created_critical,
        changed: 0,
        unchanged: 3,
        resolved: 0,
        account_id: None,
    }
}

#[rstest]
#[actix_web::test]
async fn a_scan_takes_the_place_of_its_new_drifts(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (all, critical, single) = (Receiver::start(), Receiver::start(), Receiver::start());
    let rules =
        |least: &str| json!({"events": ["drift:created"], "stacks": ["prod-*"], "minSeverity": least});
    let grouped = json!({"groupByScan": true});
    app.webhook(&all, json!({"rules": rules("info"), "schedule": grouped})).await;
    app.webhook(&critical, json!({"rules": rules("critical"), "schedule": grouped})).await;
    app.webhook(&single, json!({"rules": rules("info")})).await;
    let one = |stack: &str| app.entry(created(Uuid::now_v7(), stack, Severity::Warning));
    app.publish(&[one("prod-eu"), one("prod-eu"), app.entry(scan("prod-eu", 2, 0))]).await;
    app.publish(&[one("test"), app.entry(scan("test", 1, 0)), app.entry(scan("prod-eu", 0, 0))]).await;
    app.publish(&[one("prod-us"), app.entry(scan("prod-us", 41, 3))]).await;
    single.wait(3).await;
    let of = |receiver: &Receiver| -> Vec<_> {
        let messages = receiver.received().into_iter().map(|message| message.body);
        messages.map(|body| (body["type"].clone(), body["data"]["stack"].clone())).collect()
    };
    let scan_of = |stack: &str| (json!("scan:stored"), json!(stack));
    all.wait(2).await;
    critical.wait(1).await;
    assert_eq!(of(&all), [scan_of("prod-eu"), scan_of("prod-us")]);
    assert_eq!(of(&critical), [scan_of("prod-us")]);
}

#[rstest]
#[actix_web::test]
async fn repeats_of_a_state_are_left_out_on_request(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (quiet, all) = (Receiver::start(), Receiver::start());
    app.webhook(&quiet, json!({"schedule": {"skipRepeats": true}})).await;
    app.webhook(&all, json!({})).await;
    let id = Uuid::now_v7();
    app.publish(&[app.entry(created(id, "prod", Severity::Warning))]).await;
    quiet.wait(1).await;
    // In one page of the log, and in several.
    let repeat = |version| app.entry(updated(id, version, Severity::Warning));
    app.publish(&[repeat(2), repeat(3)]).await;
    all.wait(3).await;
    app.publish(&[
        app.entry(updated(id, 4, Severity::Critical)),
        app.entry(updated(id, 5, Severity::Critical)),
    ])
    .await;
    all.wait(5).await;
    let versions = async || {
        let messages = quiet.received().into_iter().map(|message| message.body["data"]["version"].clone());
        messages.collect::<Vec<_>>()
    };
    eventually("the change", async || versions().await.len() == 2).await;
    assert_eq!(versions().await, [json!(1), json!(4)]);
}
