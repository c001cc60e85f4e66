//! Short fault runs: like the long ones, within the time of a test.

use std::time::Duration;

use faults::{Deployment, Ending, Plan, Trouble, outage, run, trial};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_or_delivered_twice_despite_faults() {
    let (calm, pause) = (Duration::from_millis(700), Duration::from_millis(20));
    let report =
        run(Plan { events: 1_000, faults: 8, watchers: 4, producers: 4, calm, pause, seed: 7 }).await;
    assert!(report.is_clean(), "{report}");
    assert!(report.committed >= 1_000 && report.faults.len() >= 8, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_ended_session_remains_despite_faults_s50_s51() {
    let deployment = Deployment::start().await;
    let admin = deployment.log_in("admin").await["accessToken"].as_str().unwrap().to_owned();
    for (number, ending) in Ending::ALL.into_iter().enumerate() {
        trial(&deployment, &admin, ending, Trouble::Nothing).await;
        trial(&deployment, &admin, ending, Trouble::ALL[1 + number % (Trouble::ALL.len() - 1)]).await;
        deployment.until_ready().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_outage_under_load_disconnects_no_client_and_loses_nothing() {
    let report = outage(Duration::from_secs(3)).await;
    assert!(report.connections.iter().all(|count| *count == 1), "{report:#?}");
    assert!(report.verdicts.iter().all(|verdict| verdict.is_clean() && verdict.resyncs == 0), "{report:#?}");
}
