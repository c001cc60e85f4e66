use serde_json::json;

use super::examples::{EVIL, URL, drift};
use super::mail::{mail, mail_digest, mail_text};
use super::{Facts, sample};

#[test]
fn a_mail_has_the_facts_the_link_and_the_reason() {
    let facts = Facts::of(&drift("drift:created", json!({})), Some(URL));
    let mail = mail(&facts, "On call").unwrap();
    assert_eq!(mail.subject, facts.title);
    let link = facts.link.unwrap();
    let expected = format!(
        "{}\n\nResource: aws_instance.web[0]\nType: aws_instance\nStack: prod-eu\nSeverity: critical\n\
         Status: detected\n\nOpen in DriftSentry:\n{link}\n\n-- \nDriftSentry sent this mail automatically, \
         because this address belongs to the destination \"On call\".",
        facts.title
    );
    assert_eq!(mail.text, expected);
    for part in
        ["Resource</th><td>aws_instance.web[0]</td>", "destination \"On call\"", "Open in DriftSentry</a>"]
    {
        assert!(mail.html.contains(part), "{part} in {}", mail.html);
    }
}

#[test]
fn html_is_escaped_and_a_subject_is_one_line() {
    let facts = Facts::of(&drift("drift:created", json!({"stack": EVIL, "address": EVIL})), Some(URL));
    for mail in [
        mail(&facts, EVIL).unwrap(),
        mail_text(&facts, EVIL, EVIL).unwrap(),
        mail_digest(std::slice::from_ref(&facts), 0, EVIL).unwrap(),
    ] {
        assert!(mail.html.contains("&lt;script&gt;") && !mail.html.contains("<script"), "{}", mail.html);
        assert!(!mail.html.contains("<!channel>"));
        assert!(!mail.subject.contains('\n') && mail.subject.chars().count() <= 200);
        let last = mail.text.lines().last().unwrap();
        assert!(last.starts_with("DriftSentry sent this mail") && last.ends_with("'@here'\"."), "{last}");
    }
}

#[test]
fn a_mail_without_a_link_has_no_button() {
    let mail = mail(&Facts::of(&sample(), None), "d").unwrap();
    assert!(!mail.html.contains("href") && !mail.text.contains("Open in"), "{}", mail.html);
}

#[test]
fn a_digest_lists_titles_and_counts_what_it_does_not_name() {
    let facts = vec![Facts::of(&drift("drift:created", json!({})), Some(URL)); 120];
    let mail = mail_digest(&facts, 5, "d").unwrap();
    assert_eq!(mail.subject, "125 notifications from DriftSentry");
    assert_eq!(mail.text.matches(&facts[0].title).count(), 100);
    assert_eq!(mail.html.matches("<li>").count(), 100);
    assert!(
        mail.text.contains("\nand 25 more\n") && mail.html.contains("<p>and 25 more</p>"),
        "{}",
        mail.text
    );
}

#[test]
fn a_text_of_a_template_replaces_the_fields() {
    let mail = mail_text(&Facts::of(&sample(), None), "line 1\n<b>line 2</b>", "d").unwrap();
    assert!(
        mail.text.contains("\nline 1\n<b>line 2</b>\n") && !mail.text.contains("Resource"),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("line 1\n&lt;b&gt;line 2"), "{}", mail.html);
}
