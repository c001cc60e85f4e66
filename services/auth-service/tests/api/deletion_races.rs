use auth_service::user::locked_user::take_turn;
use futures_util::future::join_all;
use futures_util::join;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, PASSWORD};
use crate::deletion::{delete, delete_me};
use crate::leaks::rows;

#[rstest]
#[actix_web::test]
async fn a_session_that_ends_while_it_deletes_its_account_deletes_nothing(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values("a new password", "the end of the session")] change: &str,
) {
    let app = App::start(backend).await;
    let (thief, alice) = (app.sign_up("alice").await, app.log_in("alice").await);
    let compared = || app.state.metrics.password_hash_seconds.get_sample_count();
    let before = compared();
    // The deletion waits for this turn after its password was compared.
    let turn = take_turn(&app.state, "admins").await.unwrap();
    let meanwhile = async {
        eventually("the password is compared", async || compared() > before).await;
        let answer = if change == "a new password" {
            let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
            alice.client.post("/api/auth/password", &change).await
        } else {
            alice.client.delete(&format!("/api/auth/sessions/{}", thief.session)).await
        };
        answer.expect(StatusCode::OK);
        drop(turn);
    };
    let (refused, ()) = join!(delete_me(&thief, PASSWORD), meanwhile);
    assert!(matches!(refused.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED), "{}", refused.text);
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn a_login_in_progress_does_not_survive_the_deletion_of_its_user(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let slow = ["--bcrypt-cost=10", "--password-queue=1000"];
    let unlimited = ["--max-sessions-per-user=100", "--login-failures-per-account=1000"];
    let app = App::with(backend, &[slow, unlimited].concat()).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let delete = async {
        // Waiting logins have read the user, but their passwords are not yet compared.
        let waiting = || app.state.metrics.passwords_waiting.get();
        eventually("logins wait", async || waiting() >= 20).await;
        delete(&root, alice.id).await.expect(StatusCode::OK)
    };
    let logins = join_all((0..30).map(|_| app.try_log_in(&alice.email, PASSWORD)));
    let (logins, _) = join!(logins, delete);
    let refused = logins.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count();
    assert!(refused >= 20, "{refused}");
    for answer in logins.iter().filter(|answer| answer.status == StatusCode::OK) {
        assert!(!app.user(answer).is_in().await);
    }
    let by_alice = rows(&app).await.into_iter().filter(|row| {
        row["userId"] == json!(alice.id) && row["actorId"] != json!(root.id) && row["ipAddress"].is_string()
    });
    assert!(by_alice.clone().count() > 0, "her sessions stay, without the address");
    assert_eq!(by_alice.filter(|row| row["ipAddress"] != "").collect::<Vec<_>>(), [json!(null); 0]);
}
