//! Mails with one event or several, in the style of the mails of `libs/mail`.

use ::mail::Content;
use anyhow::Result;
use minijinja::Environment;
use minijinja::value::{Serde, Value as Context};
use serde_json::{Value, json};

use super::facts::Facts;
use super::text::{line, notifications};

/// The most titles in a digest.
const MAX_ITEMS: usize = 100;
const MAX_NAME: usize = 200;

/// The name ends with `.html`, so that all values are escaped.
const HTML: (&str, &str) = ("mail.html", include_str!("../../templates/notification.html"));
const TEXT: (&str, &str) = ("mail.txt", include_str!("../../templates/notification.txt"));

/// Returns the mail about an event. `destination` is the name that people gave to the destination.
///
/// # Errors
/// If the template cannot be rendered.
pub fn mail(facts: &Facts, destination: &str) -> Result<Content> {
    content(&facts.title, json!({"items": [item(facts)]}), destination)
}

/// Returns the mail with a text from [`Template::render`](super::Template::render).
///
/// # Errors
/// If the template cannot be rendered.
pub fn mail_text(facts: &Facts, text: &str, destination: &str) -> Result<Content> {
    content(&facts.title, json!({"items": [item(facts)], "body": text}), destination)
}

/// Returns one mail for several events, and for `more` events that it does not name.
///
/// # Errors
/// If the template cannot be rendered.
pub fn mail_digest(facts: &[Facts], more: usize, destination: &str) -> Result<Content> {
    let subject = format!("{} from DriftSentry", notifications(facts.len() + more));
    let items: Vec<_> = facts.iter().take(MAX_ITEMS).map(item).collect();
    let more = more + facts.len().saturating_sub(MAX_ITEMS);
    content(&subject, json!({"items": items, "is_digest": true, "more": more}), destination)
}

fn item(facts: &Facts) -> Value {
    json!({"title": facts.title, "fields": facts.fields, "link": facts.link})
}

fn content(subject: &str, mut values: Value, destination: &str) -> Result<Content> {
    values["subject"] = json!(subject);
    values["destination"] = json!(line(destination, MAX_NAME));
    let values = Context::from(Serde(&values));
    let environment = Environment::new();
    let render = |(name, source)| environment.render_named_str(name, source, values.clone());
    Ok(Content { subject: subject.to_owned(), text: render(TEXT)?, html: render(HTML)? })
}
