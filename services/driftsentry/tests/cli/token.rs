use serde_json::json;
use testing::StatusCode;

use crate::{App, ingest, said, sample};

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

#[tokio::test]
async fn white_space_around_a_token_does_not_matter() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let sent = app.ingest(&sample("fakeaws_1/plan.json.gz"), &["--dry-run"], &format!(" {token}\n"));
    assert_eq!(sent.status.code(), Some(2), "{}", said(&sent));
}

#[test]
fn an_unusable_token_or_address_is_not_tried_again() {
    let plan = sample("fakeaws_1/plan.json.gz");
    let tried = |url: &str, token: &str| {
        let arguments = [plan.to_str().unwrap(), "--stack", "x", "--url", url];
        let failed = ingest(&arguments, token).output().unwrap();
        assert_eq!(failed.status.code(), Some(1));
        said(&failed)
    };
    for (url, token, named) in [
        ("http://127.0.0.1:9", "two\nlines", "DRIFTSENTRY_TOKEN"),
        ("ftp://127.0.0.1:9", "token", "--url"),
        ("127.0.0.1:9", "token", "--url"),
    ] {
        let printed = tried(url, token);
        assert!(printed.contains(named) && !printed.contains("retrying"), "{printed}");
        assert!(!printed.contains(token), "{printed}");
    }
}
