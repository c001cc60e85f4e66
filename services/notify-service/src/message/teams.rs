//! Messages for a workflow webhook of Microsoft Teams: an Adaptive Card 1.4.
//!
//! All texts are in text runs, which have no Markdown, so that no text of an event becomes a link or a mention.

use serde_json::{Value, json};

use super::facts::Facts;
use super::text::{MAX_CHAT_TEXT, cut, notifications};

/// The most bytes of a message. Teams refuses messages of about 28 KB.
const MAX_BYTES: usize = 24_000;

pub fn card(facts: &Facts) -> Value {
    let mut body = vec![title(&facts.title)];
    body.extend(facts.fields.iter().map(|(label, value)| {
        let label = json!({"type": "TextRun", "text": format!("{label}: "), "weight": "bolder"});
        paragraph(&[label, run(value)], "small")
    }));
    message(body, facts.link.as_deref())
}

/// Returns a card with a text from [`Template::render`](super::Template::render).
pub fn card_text(facts: &Facts, text: &str) -> Value {
    let text = cut(text, MAX_CHAT_TEXT);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut body: Vec<_> = lines.take(100).map(|line| paragraph(&[run(line)], "small")).collect();
    if body.is_empty() {
        body.push(title(&facts.title));
    }
    message(body, facts.link.as_deref())
}

/// Returns one card for several events, and for `more` events that it does not name.
pub fn card_digest(facts: &[Facts], more: usize) -> Value {
    let all = facts.len() + more;
    let mut body = vec![title(&notifications(all))];
    let mut bytes = 0;
    for facts in facts {
        let mut text = run(&facts.title);
        if let Some(link) = &facts.link {
            text["selectAction"] = open(link);
        }
        let item = paragraph(&[text], "small");
        bytes += item.to_string().len();
        // The rest is for the title, the last line and what surrounds them.
        if bytes > MAX_BYTES - 1000 {
            break;
        }
        body.push(item);
    }
    let more = all - (body.len() - 1);
    if more > 0 {
        body.push(paragraph(&[run(&format!("and {more} more"))], "small"));
    }
    message(body, None)
}

fn message(body: Vec<Value>, link: Option<&str>) -> Value {
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if let Some(link) = link {
        card["actions"] = json!([open(link)]);
    }
    let attachment = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
    json!({"type": "message", "attachments": [attachment]})
}

fn title(text: &str) -> Value {
    let run = json!({"type": "TextRun", "text": text, "weight": "bolder", "size": "medium"});
    paragraph(&[run], "default")
}

fn paragraph(runs: &[Value], spacing: &str) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs, "spacing": spacing})
}

fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": text})
}

fn open(link: &str) -> Value {
    json!({"type": "Action.OpenUrl", "title": "Open in DriftSentry", "url": link})
}
