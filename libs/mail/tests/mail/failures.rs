use std::error::Error;
use std::time::Duration;

use mail::{SendError, Smtp};
use testing::{PrivateSmtp, SmtpMode, free_port};

use crate::{config, mail, smtp};

const ADDRESS: &str = "alice@example.com";

/// Asserts the kind of an error, and that no text of it contains the address.
fn assert_kind(error: &SendError, kind: &str, is_permanent: bool) {
    assert_eq!((error.kind, error.is_permanent), (kind, is_permanent), "{error:?}");
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    let all = format!("{error} {error:?} {source}");
    assert!(!all.contains("alice") && !all.contains("secret"), "{all}");
}

#[tokio::test]
async fn a_refused_recipient_is_permanent() {
    let server = PrivateSmtp::start(SmtpMode::Refusing);
    let error = smtp(&server, &server.url()).send(&mail(ADDRESS)).await.unwrap_err();
    assert_kind(&error, "refused", true);
    assert_eq!(error.to_string(), "mail was not sent: refused (550)");
}

#[tokio::test]
async fn a_greylisted_mail_is_accepted_later() {
    let server = PrivateSmtp::start(SmtpMode::Greylisting(2));
    let smtp = smtp(&server, &server.url());
    let mail = mail(ADDRESS);
    for _ in 0..2 {
        let error = smtp.send(&mail).await.unwrap_err();
        assert_kind(&error, "deferred", false);
        assert_eq!(error.code, Some(451));
    }
    smtp.send(&mail).await.unwrap();
    assert_eq!(server.messages().await.len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_lost_within_a_mail_is_not_permanent() {
    let server = PrivateSmtp::start(SmtpMode::Dropping);
    let smtp = smtp(&server, &server.url());
    assert_kind(&smtp.send(&mail(ADDRESS)).await.unwrap_err(), "connection", false);
    server.set_mode(SmtpMode::Plain);
    smtp.send(&mail(ADDRESS)).await.unwrap();
    assert_eq!(server.messages().await.len(), 1);
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up() {
    let server = PrivateSmtp::start(SmtpMode::Slow);
    let mut config = config(&server, &server.url());
    assert_eq!(config.smtp_timeout, Duration::from_secs(15));
    config.smtp_timeout = Duration::from_millis(200);
    let error = Smtp::new(&config).unwrap().send(&mail(ADDRESS)).await.unwrap_err();
    assert_kind(&error, "timeout", false);
}

#[tokio::test]
async fn a_server_that_is_down_is_not_permanent() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let error = smtp(&server, &format!("smtp://127.0.0.1:{}", free_port())).send(&mail(ADDRESS)).await;
    assert_kind(&error.unwrap_err(), "connection", false);
}

#[tokio::test]
async fn a_wrong_or_missing_login_is_not_permanent() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let wrong = server.smtps_url().replace("user:secret", "user:wrong-secret");
    let without_tls = server.starttls_url().replace("required", "none");
    for url in [wrong, without_tls] {
        assert_kind(&smtp(&server, &url).send(&mail(ADDRESS)).await.unwrap_err(), "authentication", false);
    }
    server.set_mode(SmtpMode::StartTls);
    let error = smtp(&server, &server.url()).send(&mail(ADDRESS)).await.unwrap_err();
    assert_kind(&error, "authentication", false);
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail() {
    let server = PrivateSmtp::start(SmtpMode::Bare);
    let error = smtp(&server, &server.starttls_url()).send(&mail(ADDRESS)).await.unwrap_err();
    assert_kind(&error, "tls", false);
    assert!(server.messages().await.is_empty());
}
