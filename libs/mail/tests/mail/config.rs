use rstest::rstest;

use crate::parse;

const FROM: &str = "--mail-from=DriftSentry <no-reply@drift.example>";
const PUBLIC: &str = "--public-url=https://drift.example";

fn check(options: &[&str], strict: bool) -> Result<(), String> {
    let options = options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>();
    parse(&options).unwrap().check(strict).map_err(|error| format!("{error:#}"))
}

#[test]
fn without_a_mail_server_there_are_no_mails() {
    let config = parse(&[]).unwrap();
    assert!(!config.is_enabled());
    assert!(config.check(true).is_ok());
}

#[rstest]
#[case::sender(&["--smtp-url=smtps://u:hush@mail.example", PUBLIC], "MAIL_FROM")]
#[case::links(&["--smtp-url=smtps://u:hush@mail.example", FROM], "PUBLIC_URL")]
#[case::form(&["--smtp-url=u:hush@mail.example", FROM, PUBLIC], "SMTP_URL")]
#[case::two_lines(&["--mail-from=a@b.example\r\nBcc: c@d.example"], "MAIL_FROM")]
#[case::two_lines_in_the_name(&["--mail-from=a\r\nBcc: c <a@b.example>"], "MAIL_FROM")]
#[case::two_senders(&["--mail-from=a@b.example, c@d.example"], "MAIL_FROM")]
#[case::not_ascii(&["--mail-from=jörg@b.example"], "MAIL_FROM")]
fn a_setting_that_cannot_work_is_named_s68(#[case] options: &[&str], #[case] variable: &str) {
    let error = check(options, false).unwrap_err();
    assert!(error.contains(variable) && !error.contains("hush"), "{error}");
}

#[test]
fn without_tls_only_private_mail_servers_are_allowed_s61() {
    let public = ["--smtp-url=smtp://203.0.113.7?tls=none", FROM, PUBLIC];
    assert!(check(&public, true).unwrap_err().contains("SMTP_URL"));
    assert!(check(&public, false).is_ok());
    for url in ["smtp://203.0.113.7", "smtps://203.0.113.7", "smtp://10.0.0.1?tls=none", "smtp://[::1]:1025"]
    {
        assert_eq!(check(&[&format!("--smtp-url={url}"), FROM, PUBLIC], true), Ok(()), "{url}");
    }
}

#[test]
fn links_need_https_outside_development() {
    assert!(check(&["--public-url=http://drift.example"], true).unwrap_err().contains("PUBLIC_URL"));
    assert_eq!(check(&["--public-url=http://drift.example"], false), Ok(()));
    for url in ["https://drift.example", "http://localhost:4000", "http://127.0.0.1:4000", "http://[::1]"] {
        assert_eq!(check(&[&format!("--public-url={url}")], true), Ok(()), "{url}");
    }
}

#[test]
fn the_public_url_has_no_slash_at_its_end() {
    for (given, expected) in [
        ("https://Drift.example/", "https://drift.example"),
        ("https://drift.example", "https://drift.example"),
        ("https://drift.example/console/", "https://drift.example/console"),
    ] {
        assert_eq!(parse(&[format!("--public-url={given}")]).unwrap().public_url.as_deref(), Some(expected));
    }
    for refused in [
        "drift.example",
        "ftp://drift.example",
        "javascript:alert(1)",
        "https://u:p@drift.example",
        "https://drift.example?a=b",
        "https://drift.example/#/x",
    ] {
        assert!(parse(&[format!("--public-url={refused}")]).is_err(), "{refused}");
    }
}
