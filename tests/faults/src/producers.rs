use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use testing::Client;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Deployment;

/// Pause between attempts of a request that failed because of a fault.
const RETRY: Duration = Duration::from_millis(100);

/// Users who report drifts and decide on them. Each event is committed exactly once, however often the
/// request must be repeated.
pub struct Producers {
    tasks: JoinSet<()>,
}

impl Producers {
    /// Starts `count` producers that together cause at least `events` events, half of them decisions. They
    /// pause after each, and continue until `enough`.
    pub fn start(
        deployment: &Deployment,
        token: &str,
        count: usize,
        events: usize,
        pause: Duration,
        enough: &Arc<AtomicBool>,
    ) -> Self {
        let made = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for producer in 0..count {
            let clients = clients(deployment, token, producer);
            let (made, enough) = (Arc::clone(&made), Arc::clone(enough));
            tasks.spawn(async move {
                while made.fetch_add(2, Ordering::Relaxed) < events || !enough.load(Ordering::Relaxed) {
                    let id = report(&clients).await;
                    approve(&clients, &id).await;
                    tokio::time::sleep(pause).await;
                }
            });
        }
        Self { tasks }
    }

    /// Waits until all producers have caused their share.
    pub async fn finish(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("a producer continues despite faults");
        }
    }
}

/// Causes one more event.
pub(crate) async fn produce(deployment: &Deployment, token: &str) {
    report(&clients(deployment, token, 0)).await;
}

fn clients(deployment: &Deployment, token: &str, producer: usize) -> [Client; 2] {
    [0, 1].map(|replica| Client::new(deployment.drift[(producer + replica) % 2].url()).with_token(token))
}

/// Reports a drift of a new resource, and returns its id.
async fn report(clients: &[Client; 2]) -> String {
    let drift = json!({
        "resourceId": format!("i-{}", Uuid::new_v4().simple()),
        "resourceType": "aws_instance",
        "region": "eu-west-1",
        "severity": "warning",
        "stack": "faults",
    });
    let answer = until_answered(clients, "/api/v1/drifts", &drift).await;
    answer["data"]["id"].as_str().unwrap_or_else(|| panic!("a drift was created: {answer}")).to_owned()
}

async fn approve(clients: &[Client; 2], id: &str) {
    let path = format!("/api/v1/drifts/{id}/approve");
    until_answered(clients, &path, &json!({"reason": "seen in a fault run"})).await;
}

/// Sends the request to one replica after the other until one succeeds. Each attempt has the same
/// idempotency key, so that the request takes effect once.
async fn until_answered(clients: &[Client; 2], path: &str, body: &serde_json::Value) -> serde_json::Value {
    let key = Uuid::new_v4().to_string();
    for client in clients.iter().cycle() {
        let request = client.request(testing::Method::POST, path);
        let request = request.header("idempotency-key", &key).timeout(Duration::from_secs(5)).json(body);
        if let Ok(answer) = request.send().await {
            let status = answer.status();
            let text = answer.text().await.unwrap_or_default();
            if status.is_success() {
                return serde_json::from_str(&text).expect("an answer in JSON");
            }
            let retryable = status.is_server_error() || status == testing::StatusCode::CONFLICT;
            assert!(retryable, "{path} was refused: {status} {text}");
        }
        tokio::time::sleep(RETRY).await;
    }
    unreachable!("the cycle does not end")
}
