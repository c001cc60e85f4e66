use mail::Smtp;
use testing::{PrivateSmtp, SmtpMode};

use crate::{config, mail, smtp};

#[tokio::test]
async fn a_mail_arrives_with_its_headers_and_both_texts() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let mut mail = mail("alice@example.com");
    mail.content.text = "Grüße,\n.\na line of a single dot".to_owned();
    mail.content.html = format!("<p>{}</p>", "long ".repeat(400));
    smtp(&server, &server.url()).send(&mail).await.unwrap();

    let [received] = &server.messages().await[..] else { panic!("one mail") };
    assert_eq!(received.to, "alice@example.com");
    assert_eq!(received.subject, mail.content.subject);
    assert_eq!(received.text.replace("\r\n", "\n").trim_end(), mail.content.text);
    assert_eq!(received.html.trim_end(), mail.content.html);
    assert_eq!(received.message_id, mail.message_id);
    for line in [
        "From: DriftSentry <no-reply@drift.example>",
        "To: alice@example.com",
        "Date: ",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative;",
        "X-Sender: no-reply@drift.example",
        "X-Encrypted: no",
    ] {
        assert!(received.raw.lines().any(|found| found.starts_with(line)), "{line} in {}", received.raw);
    }
}

#[tokio::test]
async fn a_mail_is_sent_with_tls_and_a_login() {
    let server = PrivateSmtp::start(SmtpMode::StartTls);
    for url in [server.starttls_url(), server.smtps_url()] {
        smtp(&server, &url).send(&mail("alice@example.com")).await.unwrap();
    }
    let received = server.messages().await;
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|mail| mail.raw.contains("X-Encrypted: yes")));
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_is_refused() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let other = PrivateSmtp::start(SmtpMode::Plain);
    for url in [server.starttls_url(), server.smtps_url()] {
        let smtp = Smtp::new(&config(&other, &url)).unwrap();
        let error = smtp.send(&mail("alice@example.com")).await.unwrap_err();
        assert_eq!((error.kind, error.is_permanent), ("tls", false), "{error:?}");
    }
    assert!(server.messages().await.is_empty());
}

#[tokio::test]
async fn a_line_break_adds_no_header() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let smtp = smtp(&server, &server.url());
    let mut mail = mail("alice@example.com");
    mail.content.subject = "Hello\r\nBcc: eve@example.com\r\n\r\nbody".to_owned();
    mail.message_id = "<a@b>\r\nBcc: eve@example.com".to_owned();
    smtp.send(&mail).await.unwrap();

    let [received] = &server.messages().await[..] else { panic!("one mail") };
    assert_eq!(received.to, "alice@example.com");
    assert!(!received.raw.lines().any(|line| line.starts_with("Bcc:")), "{}", received.raw);
    assert_eq!(received.text.trim_end(), mail.content.text);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_for_good() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let smtp = smtp(&server, &server.url());
    for to in [
        "",
        "alice",
        "alice@",
        "alice@example.com\r\nBcc: eve@example.com",
        "alice@example.com>\r\nRCPT TO:<eve@example.com",
        "alice\r\n@example.com",
        "alice@exam\nple.com",
        "alice@example.com, eve@example.com",
        "Alice <alice@example.com>",
    ] {
        let error = smtp.send(&mail(to)).await.unwrap_err();
        assert_eq!((error.kind, error.is_permanent), ("address", true), "{to:?}");
    }
    assert!(server.messages().await.is_empty());
}

#[tokio::test]
async fn an_address_with_foreign_letters_is_sent_if_the_server_can() {
    let server = PrivateSmtp::start(SmtpMode::Plain);
    let smtp = smtp(&server, &server.url());
    smtp.send(&mail("jörg@bücher.example")).await.unwrap();
    server.set_mode(SmtpMode::Bare);
    smtp.send(&mail("jorg@bücher.example")).await.unwrap();
    let error = smtp.send(&mail("jörg@bücher.example")).await.unwrap_err();
    assert_eq!((error.kind, error.is_permanent), ("address", true), "{error:?}");

    let recipients = server.messages().await.into_iter().map(|mail| mail.to).collect::<Vec<_>>();
    assert_eq!(recipients, ["jörg@xn--bcher-kva.example", "jorg@xn--bcher-kva.example"]);
}
