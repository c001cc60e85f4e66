//! Messages for Slack: Block Kit, with a text for notifications.
//!
//! Slack parses `&`, `<` and `>` in every text, so all texts of an event are escaped. Values are plain texts, in which
//! Slack formats nothing. `verbatim` stops Slack from turning names such as `@here` into mentions.

use serde_json::{Value, json};
use uuid::Uuid;

use super::facts::Facts;
use super::text::{MAX_CHAT_TEXT, cut, notifications};

// The limits of Block Kit: https://docs.slack.dev/reference/block-kit/blocks
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3000;
const MAX_FIELD: usize = 2000;
const MAX_FIELDS: usize = 10;
const MAX_BUTTON: usize = 75;
const MAX_CONFIRM_TITLE: usize = 100;
const MAX_CONFIRM_TEXT: usize = 300;
const MAX_CONFIRM_BUTTON: usize = 30;

/// The block with the buttons.
const DECISION: &str = "decision";

/// The most titles in a digest. Slack allows 50 blocks, but refuses messages that are too long as a whole.
const MAX_ITEMS: usize = 20;

pub fn incoming(facts: &Facts) -> Value {
    let mut blocks = vec![header(&facts.title)];
    // A label and a value are two fields.
    for pairs in facts.fields.chunks(MAX_FIELDS / 2) {
        let fields =
            pairs.iter().flat_map(|(label, value)| [mrkdwn(&format!("*{label}*")), plain(value, MAX_FIELD)]);
        blocks.push(json!({"type": "section", "fields": fields.collect::<Vec<_>>()}));
    }
    blocks.extend(facts.link.as_deref().map(|link| section(&linked(link, "Open in DriftSentry"))));
    message(&facts.title, blocks)
}

/// Returns a message with a text from [`Template::render_for_slack`](super::Template::render_for_slack).
pub fn incoming_text(facts: &Facts, text: &str) -> Value {
    let text = cut(text, MAX_CHAT_TEXT);
    let shown = if text.trim().is_empty() { escape(&facts.title, MAX_SECTION) } else { text };
    message(&facts.title, vec![section(&shown)])
}

/// Returns one message for several events, and for `more` events that it does not name.
pub fn incoming_digest(facts: &[Facts], more: usize) -> Value {
    let title = notifications(facts.len() + more);
    let mut blocks = vec![header(&title)];
    blocks.extend(facts.iter().take(MAX_ITEMS).map(|facts| match &facts.link {
        Some(link) => section(&linked(link, &facts.title)),
        None => section(&escape(&facts.title, MAX_SECTION)),
    }));
    let more = more + facts.len().saturating_sub(MAX_ITEMS);
    if more > 0 {
        blocks.push(section(&format!("and {more} more")));
    }
    message(&title, blocks)
}

/// Returns the text with at most `max` characters, in which Slack parses nothing but formats such as `*bold*`.
pub(crate) fn escape(text: &str, max: usize) -> String {
    let mut escaped = String::new();
    let mut length = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let mut buffer = [0; 4];
        let entity = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => &*other.encode_utf8(&mut buffer),
        };
        length += entity.chars().count();
        // The last place is for the ellipsis, unless it holds the end of the text.
        if length > max || (length == max && characters.peek().is_some()) {
            escaped.push('…');
            break;
        }
        escaped.push_str(entity);
    }
    escaped
}

/// Adds buttons that decide on a version of a drift.
pub fn with_buttons(mut message: Value, drift: Uuid, version: i64) -> Value {
    let button = |action: &str, label: &str, style: &str, effect: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "value": format!("{drift} {version}"),
            "text": plain(label, MAX_BUTTON),
            "style": style,
            "confirm": {
                "title": plain(&format!("{label} this drift?"), MAX_CONFIRM_TITLE),
                "text": plain(effect, MAX_CONFIRM_TEXT),
                "confirm": plain(label, MAX_CONFIRM_BUTTON),
                "deny": plain("Cancel", MAX_CONFIRM_BUTTON),
                "style": style,
            },
        })
    };
    let buttons = [
        button("approve", "Approve", "primary", "The values that drift become the accepted ones."),
        button("reject", "Reject", "danger", "The values that drift must be reverted."),
    ];
    if let Some(blocks) = message["blocks"].as_array_mut() {
        blocks.push(json!({"type": "actions", "block_id": DECISION, "elements": buttons}));
    }
    message
}

/// Removes the buttons again.
pub fn without_buttons(mut message: Value) -> Value {
    if let Some(blocks) = message["blocks"].as_array_mut() {
        blocks.retain(|block| block["type"] != "actions");
    }
    message
}

fn message(text: &str, blocks: Vec<Value>) -> Value {
    json!({"text": escape(text, MAX_SECTION), "blocks": blocks, "unfurl_links": false})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": plain(text, MAX_HEADER)})
}

fn section(escaped: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(escaped)})
}

fn mrkdwn(escaped: &str) -> Value {
    json!({"type": "mrkdwn", "text": escaped, "verbatim": true})
}

fn plain(text: &str, max: usize) -> Value {
    json!({"type": "plain_text", "text": escape(text, max), "emoji": false})
}

/// Returns a link. The text of a link begins after a bar.
fn linked(link: &str, text: &str) -> String {
    let link = escape(&link.replace('|', "%7C"), MAX_SECTION / 2);
    format!("<{link}|{}>", escape(text, MAX_SECTION / 2 - 3))
}
