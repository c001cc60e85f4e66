use std::fs;

use mail::Templates;
use serde_json::{Value, json};
use tempfile::TempDir;

const ALL: [&str; 9] = [
    "sign_up",
    "sign_up_taken",
    "reset_password",
    "password_reset_done",
    "verify_email",
    "change_email",
    "email_changed",
    "invitation",
    "log_in",
];

const LINK: &str = "https://drift.example/#/page?token=a_b-c";

/// Returns all values that a mail can have.
fn values(name: &str) -> Value {
    let mut values = json!({
        "name": "Alice", "link": LINK, "code": "123 456", "expires": "1 hour", "email": "alice@example.com",
        "inviter": "Bob", "role": "operator", "public_url": "https://drift.example",
    });
    let missing = match name {
        "sign_up_taken" | "password_reset_done" => &["link", "code", "expires"][..],
        "email_changed" => &["code"],
        _ => &[],
    };
    let values_of_mail = values.as_object_mut().unwrap();
    values_of_mail.retain(|value, _| !missing.contains(&value.as_str()));
    values
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Returns the error of a folder.
fn refusal(files: &[(&str, &str)]) -> String {
    let error = Templates::load(Some(folder(files).path())).err().unwrap();
    format!("{error:#}")
}

/// Reverses the escaping of slashes in attributes and texts of HTML.
fn unescaped(html: &str) -> String {
    html.replace("&#x2f;", "/")
}

#[test]
fn every_mail_has_a_subject_and_both_texts() {
    let templates = Templates::load(None).unwrap();
    for name in ALL {
        let content = templates.render(name, Some("en-GB"), &values(name)).unwrap();
        assert!(!content.subject.is_empty() && content.subject.len() < 60, "{name}: {}", content.subject);
        for text in [&content.text, &unescaped(&content.html)] {
            assert!(text.contains("Hello") && text.contains("https://drift.example"), "{name}: {text}");
            assert!(
                text.contains("ignore this mail") || text.contains("If it was not you"),
                "{name}: {text}"
            );
        }
        assert!(!content.html.contains("<img") && !content.html.contains("<table"), "{name}");
    }
}

#[test]
fn a_link_is_a_button_and_a_text_and_a_code_is_a_text() {
    let templates = Templates::load(None).unwrap();
    for name in ALL {
        let values = values(name);
        let content = templates.render(name, None, &values).unwrap();
        let links = usize::from(values.get("link").is_some());
        let codes = usize::from(values.get("code").is_some());
        assert_eq!(content.text.matches(LINK).count(), links, "{name}: {}", content.text);
        assert_eq!(content.text.matches("123 456").count(), codes, "{name}: {}", content.text);
        // The button, and the address as target and as text.
        assert_eq!(unescaped(&content.html).matches(LINK).count(), 3 * links, "{name}: {}", content.html);
        assert_eq!(content.html.matches("123 456").count(), codes, "{name}: {}", content.html);
        assert!(!content.html.contains("none\"></a>"), "{name} has a button without a label");
    }
}

#[test]
fn values_that_a_mail_does_not_have_are_left_out() {
    let templates = Templates::load(None).unwrap();
    let few = json!({"email": "a@b.c", "public_url": "https://drift.example", "expires": "1 hour", "role": "viewer"});
    for name in ALL {
        let content = templates.render(name, None, &few).unwrap();
        assert!(!content.html.contains("background"), "{name} has a button without a link");
    }
}

#[test]
fn every_value_is_escaped_in_html() {
    let templates = Templates::load(None).unwrap();
    let evil = "\"><script>alert(1)</script>";
    let values = json!({
        "name": evil, "link": evil, "code": evil, "expires": evil, "email": evil, "inviter": evil, "role": evil,
        "public_url": evil,
    });
    for name in ALL {
        let content = templates.render(name, None, &values).unwrap();
        assert!(
            !content.html.contains("<script") && !content.html.contains("\">alert"),
            "{name}: {}",
            content.html
        );
        assert!(content.html.contains("&lt;script&gt;"), "{name}");
    }
}

#[test]
fn a_name_that_strangers_choose_is_in_no_mail_to_an_unconfirmed_address() {
    let templates = Templates::load(None).unwrap();
    for name in ALL.into_iter().filter(|name| *name != "invitation") {
        let content = templates.render(name, None, &values(name)).unwrap();
        assert!(!content.text.contains("Alice") && !content.html.contains("Alice"), "{name}");
    }
}

#[test]
fn a_file_of_the_operator_replaces_a_template_in_its_language() {
    let folder = folder(&[
        ("log_in.pt.txt", "Subject: Entrar {{ name }}\n\nOlá {{ code }}"),
        ("log_in.pt.html", "{% extends \"layout.html\" %}{% block message %}<p>Olá</p>{% endblock %}"),
        ("log_in.pt-BR.txt", "Subject: Entrar\nOi"),
        ("log_in.pt-BR.html", "<p>Oi {{ email }}</p>"),
        ("layout.html", "<b>Acme</b>{% block message %}{% endblock %}"),
        ("README.md", "not a template"),
    ]);
    let error = Templates::load(Some(folder.path())).err().unwrap();
    assert!(format!("{error:#}").contains("log_in.pt.subject"), "{error:#}");
    fs::write(
        folder.path().join("log_in.pt.txt"),
        "Subject: Entrar {% if name %}{{ name }}{% endif %}\n\nOlá {{ code }}",
    )
    .unwrap();

    let templates = Templates::load(Some(folder.path())).unwrap();
    let text = |language| templates.render("log_in", language, &values("log_in")).unwrap();
    assert_eq!(text(Some("pt-BR")).text, "Oi");
    assert_eq!(text(Some("PT-br-x")).html, "<p>Oi alice@example.com</p>");
    assert_eq!(text(Some("pt-PT")).text, "Olá 123 456");
    assert_eq!(text(Some("pt")).html, "<b>Acme</b><p>Olá</p>");
    assert_eq!(text(Some("pt")).subject, "Entrar Alice");
    for other in [None, Some(""), Some("de"), Some("../../x"), Some("-"), Some("txt")] {
        assert_eq!(text(other).subject, "Log in to DriftSentry", "{other:?}");
    }
}

#[test]
fn a_broken_file_is_named_at_the_start() {
    let html = ("log_in.html", "<p></p>");
    for (files, expected) in [
        (&[("log_in.txt", "Hello"), html][..], "log_in.txt: must begin with a line"),
        (&[("log_in.txt", "Subject: x\n{{ code"), html], "log_in.txt"),
        (&[("log_in.txt", "Subject: {% if %}\n"), html], "log_in.txt"),
        (&[("log_in.txt", "Subject: x\n{{ cod }}"), html], "log_in.txt"),
        (&[("log_in.txt", "Subject: x\n{{ code|nonsense }}"), html], "log_in.txt"),
        (&[("log_in.txt", "Subject: x\n"), ("log_in.html", "{% extends \"missing.html\" %}")], "log_in.html"),
        (&[("sign_up_taken.txt", "Subject: x\n{{ code }}"), ("sign_up_taken.html", "")], "sign_up_taken.txt"),
        (&[("log_in.de.txt", "Subject: x\n")], "log_in.de.html is missing beside log_in.de.txt"),
        (&[("login.txt", "Subject: x\n")], "login.txt: there is no such mail; the names are sign_up"),
        (&[("layout.html", "{{ colour }}{% block message %}{% endblock %}")], "layout.html"),
    ] {
        let error = refusal(files);
        assert!(error.contains("MAIL_TEMPLATES") && error.contains(expected), "{error}");
    }
    let missing = Templates::load(Some("/nowhere".as_ref())).err().unwrap();
    assert!(format!("{missing:#}").contains("MAIL_TEMPLATES /nowhere: cannot be read"), "{missing:#}");
}

#[test]
fn a_subject_is_one_line() {
    let folder = folder(&[("log_in.txt", "Subject: For {{ email }}\r\n\r\nHello"), ("log_in.html", "")]);
    let templates = Templates::load(Some(folder.path())).unwrap();
    let mut values = values("log_in");
    values["email"] = json!("a\r\nBcc: b@c.d\u{2028}e");
    let content = templates.render("log_in", None, &values).unwrap();
    assert_eq!(content.subject, "For a Bcc: b@c.d e");
    assert_eq!(content.text, "Hello");
}
