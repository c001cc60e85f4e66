//! Short fault runs: like the long ones, within the time of a test.

use std::time::Duration;

use faults::{Deployment, Ending, Fault, Plan, RedisKind, outage, run, trial};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_or_delivered_twice_despite_faults() {
    let report = run(Plan {
        redis: RedisKind::Single,
        events: 1_000,
        faults: 8,
        watchers: 4,
        producers: 4,
        calm: Duration::from_millis(700),
        pause: Duration::from_millis(20),
        seed: 7,
    })
    .await;
    assert!(report.is_clean(), "{report}");
    assert!(report.committed >= 1_000 && report.faults.len() >= 8, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_ended_session_remains_despite_faults_s50_s51() {
    let deployment = Deployment::start(RedisKind::Single).await;
    let admin = deployment.token("admin").await;
    let faults = Fault::while_sessions_end(RedisKind::Single);
    for (number, ending) in Ending::ALL.into_iter().enumerate() {
        trial(&deployment, &admin, ending, None).await;
        trial(&deployment, &admin, ending, Some(faults[number % faults.len()])).await;
        deployment.until_ready().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_outage_under_load_disconnects_no_client_and_loses_nothing() {
    let report = outage(Duration::from_secs(3)).await;
    assert!(report.connections.iter().all(|count| *count == 1), "{report:#?}");
    assert!(report.verdicts.iter().all(|verdict| verdict.is_clean() && verdict.resyncs == 0), "{report:#?}");
}
