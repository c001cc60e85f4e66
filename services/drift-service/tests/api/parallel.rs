//! Properties that hold under concurrent requests.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, sample, upload, walk};
use crate::lifecycle::reported;

const ROUNDS: usize = 50;
const CALLERS: usize = 100;

#[rstest]
#[actix_web::test]
async fn one_of_many_concurrent_decisions_is_accepted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (one, other) = (app.engineer(), app.admin());
    for round in 0..ROUNDS {
        let path = reported(&one, &format!("i-{round}")).await;
        let decisions = (0..CALLERS).map(|index| {
            let (caller, action) = if index % 2 == 0 { (&one, "approve") } else { (&other, "reject") };
            let path = format!("{path}/{action}");
            async move { caller.post(&path, &json!({"reason": "me first"})).await.status }
        });
        let statuses = join_all(decisions).await;
        let count = |status| statuses.iter().filter(|&&answer| answer == status).count();
        assert_eq!((count(StatusCode::OK), count(StatusCode::CONFLICT)), (1, CALLERS - 1), "{statuses:?}");
        let history = walk(&one, &format!("{path}/history?limit=100")).await;
        assert_eq!(history.len(), 2, "{history:?}");
    }
    let decided = app.events_of("drift:approved").len() + app.events_of("drift:rejected").len();
    testing::eventually("every decision's event", async || {
        app.events_of("drift:approved").len() + app.events_of("drift:rejected").len() == ROUNDS
    })
    .await;
    assert!(decided <= ROUNDS);
}

#[rstest]
#[actix_web::test]
async fn parallel_scans_of_one_stack_create_each_drift_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let plan = sample("fakeaws_2000/scan1.plan.json");
    let reports =
        join_all((0..8).map(|_| async { upload(&engineer, "stack=a", plan.clone()).await.data() })).await;
    let total = |key: &str| reports.iter().map(|report| report[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((total("created"), total("unchanged")), (2_000, 14_000));
    let summary = app.anonymous.get("/api/v1/metrics/summary").await.data();
    assert_eq!((&summary["total"], &summary["open"]), (&json!(2_000), &json!(2_000)));
    app.expect_events("drift:created", 2_000).await;
}

/// Scans take turns within one process. Between replicas, only the database keeps them apart.
#[actix_web::test]
async fn parallel_scans_by_several_replicas_create_each_drift_once() {
    let one = App::start(Backend::Real).await;
    let (two, three) = (one.replica().await, one.replica().await);
    let plan = sample("fakeaws_2000/scan1.plan.json");
    let engineers = [one.engineer(), two.engineer(), three.engineer()];
    let uploads = (0..6).map(|index| upload(&engineers[index % 3], "stack=a", plan.clone()));
    let reports: Vec<_> = join_all(uploads).await.iter().map(|answer| answer.data()).collect();
    let total = |key: &str| reports.iter().map(|report| report[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((total("created"), total("unchanged")), (2_000, 10_000));
    three.expect_events("drift:created", 2_000).await;
}

#[rstest]
#[actix_web::test]
async fn scans_and_decisions_do_not_block_each_other(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let plan = sample("fakeaws_20/scan1.plan.json");
    upload(&engineer, "stack=a", plan.clone()).await.data();
    let drifts = app.drifts(&engineer).await;
    let ids: Vec<&serde_json::Value> = drifts.iter().map(|drift| &drift["id"]).collect();
    let scans = join_all(
        (0..10).map(|_| async { upload(&engineer, "stack=a&complete=true", plan.clone()).await.status }),
    );
    let bulk = |action: &'static str| {
        let body = json!({"action": action, "ids": ids.iter().rev().collect::<Vec<_>>(), "reason": "x"});
        let engineer = &engineer;
        async move { engineer.post("/api/v1/drifts/bulk", &body).await.status }
    };
    let bulks = join_all(["approve", "reject", "approve"].map(bulk));
    let (scans, bulks) = futures_util::join!(scans, bulks);
    assert!(scans.into_iter().chain(bulks).all(|status| status == StatusCode::OK));
    let decided = app.events_of("drift:approved").len() + app.events_of("drift:rejected").len();
    assert!(decided <= 20);
    let summary = app.anonymous.get("/api/v1/metrics/summary").await.data();
    assert_eq!((&summary["total"], &summary["open"]), (&json!(20), &json!(0)));
}

#[rstest]
#[actix_web::test]
async fn concurrent_readers_mark_alerts_only_for_themselves(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    upload(&app.engineer(), "stack=a", sample("fakeaws_20/scan1.plan.json")).await.data();
    let callers: Vec<_> = (0..10).map(|_| app.viewer()).collect();
    let readers = callers
        .iter()
        .map(|caller| async { caller.post("/api/v1/alerts/read-all", &json!({})).await.data() });
    let answers = join_all(readers).await;
    assert!(answers.iter().all(|answer| answer["read"] == 13), "{answers:?}");
    app.expect_events("alert:all_read", 10).await;
}
