//! Every message validates against what its receiver has published.

use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use uuid::Uuid;

use super::examples::{EVIL, URL, all_with};
use super::{Facts, pagerduty, slack, teams};

const KEY: &str = "0123456789abcdef0123456789abcdef";

struct Schema(Schemas, SchemaIndex);

static SLACK: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(include_str!("../../tests/schemas/slack_blocks.json")));
static TEAMS: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(include_str!("../../tests/schemas/adaptive_card.json")));
static PAGERDUTY: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(include_str!("../../tests/schemas/pagerduty_v2.json")));

impl Schema {
    fn new(text: &str) -> Self {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource("urn:schema", serde_json::from_str(text).unwrap()).unwrap();
        let index = compiler.compile("urn:schema", &mut schemas).unwrap();
        Self(schemas, index)
    }

    fn accepts(&self, message: &Value) -> bool {
        self.0.validate(message, self.1).is_ok()
    }

    fn check(&self, message: &Value) {
        if let Err(error) = self.0.validate(message, self.1) {
            panic!("{error:#} in {message:#}");
        }
    }
}

fn texts() -> Vec<String> {
    let huge = ["x", "<", "&", "🦀", "a \"", "\\"].map(|text| text.repeat(50_000));
    huge.into_iter().chain(["prod-eu", EVIL, ""].map(str::to_owned)).collect()
}

#[test]
fn all_messages_for_slack_are_valid() {
    for text in texts() {
        let facts: Vec<_> = all_with(&text).iter().map(|event| Facts::of(event, Some(URL))).collect();
        facts.iter().for_each(|facts| SLACK.check(&slack::incoming(facts)));
        SLACK.check(&slack::with_buttons(slack::incoming(&facts[0]), Uuid::max(), i64::MAX));
        SLACK.check(&slack::incoming_digest(&facts, 0));
        SLACK.check(&slack::incoming_digest(&vec![facts.clone(); 50].concat(), 9));
        // The caller escapes the values of a template.
        SLACK.check(&slack::incoming_text(&facts[0], &text.replace(['<', '>', '&'], "_")));
    }
}

#[test]
fn all_messages_for_teams_are_valid_and_small() {
    for text in texts() {
        let facts: Vec<_> = all_with(&text).iter().map(|event| Facts::of(event, Some(URL))).collect();
        let mut cards: Vec<_> = facts.iter().map(teams::card).collect();
        cards.extend(facts.iter().map(|facts| teams::card_text(facts, &text)));
        cards.push(teams::card_text(&facts[0], &"\u{1}\n".repeat(50_000)));
        cards.push(teams::card_digest(&vec![facts.clone(); 50].concat(), 9));
        for card in cards {
            TEAMS.check(&card);
            let size = card.to_string().len();
            assert!(size < 25_000, "{size}");
        }
    }
}

#[test]
fn all_events_for_pagerduty_are_valid() {
    let mut count = 0;
    for text in texts() {
        for event in all_with(&text) {
            if let Some(message) = pagerduty::event(&Facts::of(&event, Some(URL)), &event, KEY) {
                PAGERDUTY.check(&message);
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn the_schemas_refuse_what_the_receivers_refuse() {
    let slack = |blocks: Value| json!({"text": "t", "blocks": blocks});
    let header = |text: Value| slack(json!([{"type": "header", "text": text}]));
    let field = json!({"type": "plain_text", "text": "f"});
    assert!(SLACK.accepts(&header(json!({"type": "plain_text", "text": "h"}))));
    for refused in [
        slack(json!([])),
        slack(json!(vec![json!({"type": "section", "text": field}); 51])),
        slack(json!([{"type": "section"}])),
        slack(json!([{"type": "section", "fields": vec![&field; 11]}])),
        slack(json!([{"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}}])),
        slack(json!([{"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3001)}}])),
        slack(json!([{"type": "actions", "elements": []}])),
        slack(
            json!([{"type": "actions", "elements": [{"type": "button", "text": field, "style": "green"}]}]),
        ),
        slack(json!([{"type": "actions", "elements": [
            {"type": "button", "text": {"type": "plain_text", "text": "x".repeat(76)}}
        ]}])),
        header(json!({"type": "mrkdwn", "text": "h"})),
        header(json!({"type": "plain_text", "text": ""})),
        header(json!({"type": "plain_text", "text": "h".repeat(151)})),
    ] {
        assert!(!SLACK.accepts(&refused), "{refused}");
    }
    for refused in [
        json!({"routing_key": KEY, "event_action": "trigger"}),
        json!({"routing_key": KEY, "event_action": "resolve"}),
        json!({"routing_key": "short", "event_action": "resolve", "dedup_key": "k"}),
        json!({"routing_key": KEY, "event_action": "resolve", "dedup_key": "k".repeat(256)}),
    ] {
        assert!(!PAGERDUTY.accepts(&refused), "{refused}");
    }
    let card = json!({"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "Unknown"}]});
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
    assert!(!TEAMS.accepts(&json!({"type": "message", "attachments": [attachment]})));
}
