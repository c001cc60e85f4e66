use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use super::examples::{EVIL, URL, drift};
use super::{Facts, sample, slack};

#[test]
fn a_message_has_a_text_a_header_fields_and_a_link() {
    let facts = Facts::of(&drift("drift:created", json!({})), Some(URL));
    let message = slack::incoming(&facts);
    assert_eq!(message["text"], facts.title);
    assert_eq!(message["blocks"][0]["text"]["text"], facts.title);
    let fields = &message["blocks"][1]["fields"];
    assert_eq!(fields[0], json!({"type": "mrkdwn", "text": "*Resource*", "verbatim": true}));
    assert_eq!(fields[1], json!({"type": "plain_text", "text": "aws_instance.web[0]", "emoji": false}));
    let link = format!("<{}|Open in DriftSentry>", facts.link.unwrap());
    assert_eq!(message["blocks"][2]["text"]["text"], link);
}

#[test]
fn no_text_of_an_event_mentions_anybody() {
    let facts = Facts::of(&drift("drift:created", json!({"stack": EVIL, "address": EVIL})), Some(URL));
    for message in [slack::incoming(&facts), slack::incoming_digest(std::slice::from_ref(&facts), 0)] {
        let text = message.to_string();
        assert!(text.contains("&lt;!channel&gt; &amp; *x*") && !text.contains("<!"), "{text}");
        assert!(!text.contains("<script"), "{text}");
    }
}

#[rstest]
#[case("a<b", 10, "a&lt;b")]
#[case::exact("ab&", 7, "ab&amp;")]
#[case::an_entity_is_never_cut("ab&c", 7, "ab…")]
#[case("abcd", 3, "ab…")]
#[case("", 3, "")]
fn a_text_is_escaped_within_its_limit(#[case] text: &str, #[case] max: usize, #[case] escaped: &str) {
    assert_eq!(slack::escape(text, max), escaped);
}

#[test]
fn a_digest_counts_what_it_does_not_name() {
    let facts = vec![Facts::of(&sample(), None); 25];
    let message = slack::incoming_digest(&facts, 5);
    assert_eq!(message["text"], "30 notifications");
    let blocks = message["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 22);
    assert_eq!(blocks[21]["text"]["text"], "and 10 more");

    let message = slack::incoming_digest(&facts[..1], 0);
    assert_eq!(message["text"], "1 notification");
    assert_eq!(message["blocks"].as_array().unwrap().len(), 2);
}

#[test]
fn a_text_of_a_template_is_the_message() {
    let facts = Facts::of(&sample(), None);
    let message = slack::incoming_text(&facts, "<!here> *hello*");
    assert_eq!(message["blocks"][0]["text"]["text"], "<!here> *hello*");
    assert_eq!(message["text"], facts.title);
    let empty = slack::incoming_text(&facts, " \n");
    assert_eq!(empty["blocks"][0]["text"]["text"], facts.title);
}

#[test]
fn buttons_carry_the_drift_and_the_version_seen_and_ask_first() {
    let facts = Facts::of(&sample(), None);
    let (plain, drift) = (slack::incoming(&facts), Uuid::from_u128(7));
    let message = slack::with_buttons(plain.clone(), drift, 3);
    let actions = message["blocks"].as_array().unwrap().last().unwrap();
    for (button, id, label) in [(0, "approve", "Approve"), (1, "reject", "Reject")] {
        let button = &actions["elements"][button];
        assert_eq!((&button["action_id"], &button["text"]["text"]), (&json!(id), &json!(label)));
        assert_eq!(button["value"], format!("{drift} 3"));
        assert_eq!(button["confirm"]["title"]["text"], format!("{label} this drift?"));
    }
    assert_eq!(slack::without_buttons(message), plain);
}
