//! Mails over a real SMTP server that behaves well, and badly.

use std::sync::Arc;

use auth_service::mail_queue::entity as mail_queue;
use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::json;
use testing::{Backend, PrivateSmtp, SmtpMode, StatusCode, eventually, wait_for};

use crate::app::{App, PASSWORD, email};

async fn start(backend: Backend, smtp: &PrivateSmtp, more: &[&str]) -> App {
    let ca = format!("--smtp-ca-file={}", smtp.ca_file().display());
    let url = format!("--smtp-url={}", smtp.url());
    let mut arguments = vec![
        "--mail-from=DriftSentry <no-reply@example.com>",
        "--public-url=https://drift.example.com",
        "--smtp-timeout=1s",
        &url,
        &ca,
    ];
    arguments.extend(more);
    App::with(backend, &arguments).await
}

impl App {
    /// Waits until a mail has failed, then lets the time of its next attempt come.
    async fn until_retried(&self, attempts: i64) {
        eventually("a failed attempt", async || {
            let mails = mail_queue::Entity::find().all(&self.state.database).await.unwrap();
            mails.iter().any(|mail| mail.attempts >= attempts && mail.failure.is_some())
        })
        .await;
        self.advance(TimeDelta::hours(1));
    }
}

#[rstest]
#[actix_web::test]
async fn a_mail_has_links_of_the_public_url_only_and_an_id(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let smtp = PrivateSmtp::start(SmtpMode::Plain);
    let app = start(backend, &smtp, &[]).await;
    app.sign_up("ada").await;
    let foreign = app
        .client
        .with_header("x-forwarded-host", "evil.example")
        .with_header("origin", "https://evil.example");
    foreign
        .post("/api/auth/password/forgot", &json!({"email": email("ada")}))
        .await
        .expect(StatusCode::ACCEPTED);
    for mail in smtp.wait_for_messages(2).await {
        assert!(mail.text.contains("https://drift.example.com/#/") && !mail.raw.contains("evil.example"));
        assert!(mail.html.contains("drift.example.com"));
        assert!(mail.message_id.ends_with("@drift.example.com>"), "{}", mail.message_id);
    }
    // No row holds the token or the code of a mail.
    let mails = mail_queue::Entity::find().all(&app.state.database).await.unwrap();
    let rows = format!("{mails:?}");
    for mail in smtp.messages().await {
        let token = mail.text.split("?token=").nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(!rows.contains(token));
    }
}

#[rstest]
#[actix_web::test]
async fn a_mail_survives_a_greylisting_dropping_and_silent_server(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    for mode in [SmtpMode::Greylisting(1), SmtpMode::Dropping, SmtpMode::Slow] {
        let smtp = PrivateSmtp::start(mode);
        let app = start(backend, &smtp, &[]).await;
        app.sign_up("ada").await;
        app.until_retried(1).await;
        smtp.set_mode(SmtpMode::Plain);
        let mails = smtp.wait_for_messages(1).await;
        assert_eq!(mails[0].to, email("ada"), "{mode:?}");
        app.all_mails_are_out().await;
        assert_eq!(smtp.messages().await.len(), 1, "{mode:?}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_refused_recipient_is_given_up_and_counted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let smtp = PrivateSmtp::start(SmtpMode::Refusing);
    let app = start(backend, &smtp, &[]).await;
    app.sign_up("ada").await;
    app.all_mails_are_out().await;
    let metrics = app.client.get("/metrics").await.text;
    assert!(
        metrics.contains(r#"auth_mails_total{result="given_up",template="verify_email"} 1"#),
        "{metrics}"
    );
    let mails = mail_queue::Entity::find().all(&app.state.database).await.unwrap();
    assert_eq!((mails[0].attempts, mails[0].failure.as_deref()), (1, Some("refused")));
}

#[rstest]
#[actix_web::test]
async fn a_mail_is_given_up_after_a_day_of_failures(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let smtp = PrivateSmtp::start(SmtpMode::Dropping);
    let app = start(backend, &smtp, &["--signup=open", "--verify-email=false"]).await;
    app.sign_up("ada").await;
    app.until_retried(1).await;
    let waiting = async || mail_queue::backlog(&app.state.database).await.unwrap().0;
    assert_eq!(waiting().await, 1);
    app.advance(TimeDelta::hours(22));
    eventually("the mail is given up", async || {
        // The next attempt may be up to half an hour away.
        app.advance(TimeDelta::minutes(31));
        waiting().await == 0
    })
    .await;
    smtp.set_mode(SmtpMode::Plain);
    assert!(smtp.messages().await.is_empty());
}

#[rstest]
#[actix_web::test]
async fn starttls_with_a_login_is_used(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let smtp = PrivateSmtp::start(SmtpMode::StartTls);
    let url = format!("--smtp-url={}", smtp.starttls_url());
    let app = start(backend, &smtp, &[&url]).await;
    app.sign_up("ada").await;
    let mails = smtp.wait_for_messages(1).await;
    assert!(mails[0].raw.contains("X-Encrypted: "), "{}", mails[0].raw);
}

#[rstest]
#[actix_web::test]
async fn a_change_that_is_rolled_back_writes_no_mail(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let smtp = PrivateSmtp::start(SmtpMode::Plain);
    let app = start(backend, &smtp, &[]).await;
    app.sign_up("ada").await;
    smtp.wait_for_messages(1).await;
    let body = json!({"name": "ada", "email": email("ada"), "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.error(StatusCode::CONFLICT, "CONFLICT");
    app.all_mails_are_out().await;
    assert_eq!(mail_queue::Entity::find().count(&app.state.database).await.unwrap(), 1);
}

#[rstest]
#[actix_web::test]
async fn two_replicas_send_each_mail_once(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let smtp = PrivateSmtp::start(SmtpMode::Plain);
    let app = Arc::new(start(backend, &smtp, &[]).await);
    let other = app.replica().await;
    app.sign_up("ada").await;
    for number in 0..20 {
        let client = if number % 2 == 0 { &app.client } else { &other.client };
        let body =
            json!({"name": "user", "email": format!("user{number}@example.com"), "password": PASSWORD});
        client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
    }
    app.all_mails_are_out().await;
    assert_eq!(smtp.messages().await.len(), 21);
}

#[rstest]
#[actix_web::test]
async fn a_claim_of_a_dead_process_expires_and_the_mail_keeps_its_id(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let smtp = PrivateSmtp::start(SmtpMode::Plain);
    let app = start(backend, &smtp, &[]).await;
    app.sign_up("ada").await;
    let first = smtp.wait_for_messages(1).await;
    app.all_mails_are_out().await;
    // As a process leaves the row that dies after the server accepted the mail.
    let row = mail_queue::Entity::find().one(&app.state.database).await.unwrap().unwrap();
    let due = app.state.platform.clock().now() + TimeDelta::seconds(30);
    mail_queue::set_failed(&app.state.database, row.id, "died", Some(due)).await.unwrap();
    app.advance(TimeDelta::seconds(30));
    let again = wait_for("the mail again", async || smtp.messages().await.get(1).cloned()).await;
    assert_eq!(again.message_id, first[0].message_id);
}

#[rstest]
#[actix_web::test]
async fn a_claim_lasts_longer_than_the_longest_attempt(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let smtp = PrivateSmtp::start(SmtpMode::Slow);
    let app = start(backend, &smtp, &["--smtp-timeout=5m"]).await;
    app.sign_up("ada").await;
    let claimed = wait_for("an attempt", async || {
        let mail = mail_queue::Entity::find().one(&app.state.database).await.unwrap();
        mail.filter(|mail| mail.attempts == 1)
    })
    .await;
    let until = claimed.next_attempt_at.unwrap() - claimed.created_at;
    assert!(until > TimeDelta::minutes(5), "another process would send the mail too, after {until}");
}

#[rstest]
#[actix_web::test]
async fn rows_of_a_later_version_stop_no_mail(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let smtp = PrivateSmtp::start(SmtpMode::Plain);
    let app = start(backend, &smtp, &[]).await;
    app.sign_up("ada").await;
    smtp.wait_for_messages(1).await;
    app.all_mails_are_out().await;
    for unknown in [
        "UPDATE links SET purpose = 'later', \"preparedAt\" = NULL",
        "UPDATE mails SET template = 'later', \"nextAttemptAt\" = \"createdAt\"",
    ] {
        app.state.database.execute_unprepared(unknown).await.unwrap();
    }
    app.client.post("/api/auth/password/forgot", &json!({"email": email("ada")})).await.data();
    smtp.wait_for_messages(2).await;
}
