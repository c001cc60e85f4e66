use std::collections::HashMap;

use auth_service::session::entity as session;
use futures_util::future::{join, join_all};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, PASSWORD, User};

const BUSY: &str = "--password-queue=1000";

#[rstest]
#[actix_web::test]
async fn each_session_ends_once_in_any_race_s22_s47(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BUSY, "--max-sessions-per-user=4"]).await;
    let mut sessions = vec![app.sign_up("alice").await];
    for _ in 0..3 {
        sessions.push(app.log_in("alice").await);
    }
    let act = async |nth: usize| {
        let (one, other) = (&sessions[nth % 4], &sessions[(nth + 1) % 4]);
        let answer = match nth % 6 {
            0 | 1 => app.try_log_in(&one.email, PASSWORD).await,
            2 => app.try_refresh(&one.refresh).await,
            3 => one.client.post("/api/auth/logout", &json!({})).await,
            4 => one.client.delete(&format!("/api/auth/sessions/{}", other.session)).await,
            _ => one.client.delete("/api/auth/sessions/all").await,
        };
        assert!(answer.status.as_u16() < 500, "{}", answer.text);
    };
    join_all((0..60).map(act)).await;
    app.all_events_are_out().await;

    let mut told: HashMap<String, usize> = HashMap::new();
    for event in app.published("auth:session.deleted") {
        *told.entry(event["sessionId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let rows = session::Entity::find().all(&app.state.database).await.unwrap();
    for row in &rows {
        let times = told.get(&row.id.to_string()).copied().unwrap_or_default();
        assert_eq!(times, usize::from(row.revoked_at.is_some()), "{row:?}");
    }
    assert!(rows.iter().filter(|row| row.revoked_at.is_none()).count() <= 4);
    assert_eq!(rows.len(), app.published("auth:session.created").len());
}

/// Returns the users whose logins succeeded and whose sessions are still live.
async fn still_in(app: &App, logins: Vec<testing::Answer>) -> Vec<User> {
    let mut still_in = Vec::new();
    for answer in logins {
        match answer.status {
            StatusCode::OK => {
                let user = app.user(&answer);
                if user.is_in().await {
                    still_in.push(user);
                }
            }
            status => assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", answer.text),
        }
    }
    still_in
}

#[rstest]
#[actix_web::test]
async fn no_login_with_the_old_password_survives_its_change_s26(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app =
        App::with(backend, &[BUSY, "--max-sessions-per-user=100", "--login-failures-per-account=1000"]).await;
    let alice = app.sign_up("alice").await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
    let change = alice.client.post("/api/auth/password", &change);
    let logins = join_all((0..40).map(|_| app.try_log_in(&alice.email, PASSWORD)));
    let (changed, logins) = join(change, logins).await;
    changed.expect(StatusCode::OK);
    assert_eq!(still_in(&app, logins).await.len(), 0);
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn no_login_of_a_disabled_user_survives_s28(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let slow = "--bcrypt-cost=10";
    let unlimited = ["--max-sessions-per-user=100", "--login-failures-per-account=1000"];
    let app = App::with(backend, &[&[BUSY, slow][..], &unlimited].concat()).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let patch = json!({"isActive": false});
    let path = format!("/api/auth/users/{}", alice.id);
    let compared = || app.state.metrics.password_hash_seconds.get_sample_count();
    let before = compared();
    // Disables the user after the logins have read the user and before they open a session.
    let disable = async {
        eventually("the first password is compared", async || compared() > before).await;
        root.client.patch(&path, &patch).await
    };
    let logins = join_all((0..40).map(|_| app.try_log_in(&alice.email, PASSWORD)));
    let (disabled, logins) = join(disable, logins).await;
    disabled.expect(StatusCode::OK);
    assert_eq!(still_in(&app, logins).await.len(), 0);
    assert!(!alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn a_login_in_progress_does_not_survive_the_end_of_all_sessions_s83(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values("end all others", "an admin ends all")] how: &str,
) {
    let app = App::with(backend, &[BUSY, "--bcrypt-cost=10", "--max-sessions-per-user=100"]).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let waiting = || app.state.metrics.passwords_waiting.get();
    let end_all = async {
        // Waiting logins have read the user, but their passwords are not yet compared.
        eventually("logins wait", async || waiting() >= 20).await;
        match how {
            "end all others" => alice.client.delete("/api/auth/sessions/all").await,
            _ => root.client.delete(&format!("/api/auth/users/{}/sessions", alice.id)).await,
        }
    };
    let logins = join_all((0..30).map(|_| app.try_log_in(&alice.email, PASSWORD)));
    let (ended, logins) = join(end_all, logins).await;
    ended.expect(StatusCode::OK);
    let survived = still_in(&app, logins).await.len();
    assert!(survived <= 30 - 20, "{survived}");
    assert_eq!(alice.is_in().await, how == "end all others");
    app.log_in("alice").await;
}
