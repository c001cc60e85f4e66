use serde_json::json;
use testing::StatusCode;

use crate::{App, sample};

#[tokio::test]
async fn ingest_warns_before_its_token_expires_s64() {
    let app = App::start().await;
    let (_, lasting) = app.service_token().await;
    let admin = app.client.with_token(&app.token("admin").await);
    let tomorrow = contracts::Clock::system().now() + chrono::TimeDelta::hours(36);
    let wanted = json!({"name": "nightly scan", "role": "engineer", "expiresAt": tomorrow});
    let made = admin.post("/api/auth/tokens", &wanted).await.expect(StatusCode::CREATED);
    let short_lived = made["data"]["token"].as_str().unwrap();
    let plan = sample("fakeaws_1/plan.json.gz");
    for (token, warns) in [(short_lived, true), (lasting.as_str(), false)] {
        let sent = app.ingest(&plan, &["--dry-run"], token);
        assert_eq!(sent.status.code(), Some(2));
        let warning = String::from_utf8_lossy(&sent.stderr).into_owned();
        assert_eq!(warning.contains("the service token expires in 1 day"), warns, "{warning}");
        assert!(!warning.contains(token) && !String::from_utf8_lossy(&sent.stdout).contains("expires"));
    }
}
