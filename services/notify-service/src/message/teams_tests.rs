use serde_json::json;

use super::examples::{EVIL, URL, drift};
use super::{Facts, sample, teams};

#[test]
fn a_card_has_a_title_fields_and_a_button() {
    let facts = Facts::of(&drift("drift:created", json!({})), Some(URL));
    let message = teams::card(&facts);
    let card = &message["attachments"][0]["content"];
    assert_eq!(card["body"][0]["inlines"][0]["text"], facts.title);
    assert_eq!(card["body"][1]["inlines"][0]["text"], "Resource: ");
    assert_eq!(card["body"][1]["inlines"][1], json!({"type": "TextRun", "text": "aws_instance.web[0]"}));
    assert_eq!(card["actions"][0]["url"], facts.link.unwrap());
}

#[test]
fn all_texts_are_in_runs_without_markdown() {
    let facts = Facts::of(&drift("drift:created", json!({"stack": EVIL})), Some(URL));
    for message in [
        teams::card(&facts),
        teams::card_text(&facts, EVIL),
        teams::card_digest(std::slice::from_ref(&facts), 0),
    ] {
        assert!(message.to_string().contains("[a](http://evil)"));
        for block in message["attachments"][0]["content"]["body"].as_array().unwrap() {
            assert_eq!(block["type"], "RichTextBlock");
        }
    }
}

#[test]
fn a_digest_counts_what_it_does_not_name() {
    let facts = vec![Facts::of(&drift("drift:created", json!({})), Some(URL)); 500];
    let message = teams::card_digest(&facts, 5);
    let body = message["attachments"][0]["content"]["body"].as_array().unwrap();
    let named = body.len() - 2;
    assert!((50..500).contains(&named), "{named}");
    assert_eq!(body[0]["inlines"][0]["text"], "505 notifications");
    assert_eq!(body[named + 1]["inlines"][0]["text"], format!("and {} more", 505 - named));
}

#[test]
fn a_text_of_a_template_has_a_paragraph_for_each_line() {
    let message = teams::card_text(&Facts::of(&sample(), None), "one\n\ntwo");
    let body = &message["attachments"][0]["content"]["body"];
    assert_eq!(body.as_array().unwrap().len(), 2);
    assert_eq!(body[1]["inlines"][0]["text"], "two");
}
