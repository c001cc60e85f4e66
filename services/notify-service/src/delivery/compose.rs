//! The request or the mails of a delivery.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mail::{Content, Mail};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::State;
use crate::destination::entity as destination;
use crate::destination::target::{Kind, Target};
use crate::event::Event;
use crate::message::{self, Facts, Template, pagerduty, slack, teams, webhook};
use crate::send::sign;

/// Number of events that a digest names; it counts the others.
const NAMED: usize = 20;

/// A message, ready to send.
pub(super) enum Outgoing {
    Http {
        url: Url,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    },
    /// For `chat.postMessage` and `chat.update`, without a channel.
    SlackApp(Value),
    Mails(Vec<Mail>),
    /// The destination means nothing by such an event.
    Nothing,
}

/// The content of a message.
pub enum Message {
    Json(Value),
    Mail(Content),
    Nothing,
}

/// Writes the message about events to a destination. `id` identifies it to the receiver.
///
/// # Errors
/// A word for the reason why it cannot be written.
pub(super) fn compose(
    state: &State,
    destination: &destination::Model,
    target: &Target,
    events: &[Event],
    id: &str,
    now: DateTime<Utc>,
) -> Result<Outgoing, String> {
    let routing_key = match target {
        Target::Pagerduty { routing_key, .. } => routing_key,
        _ => "",
    };
    let (template, public_url) = (destination.template.as_deref(), state.public_url.as_deref());
    let about = About {
        events,
        public_url,
        destination: &destination.name,
        routing_key,
        has_buttons: state.drift_service.is_some(),
        now,
    };
    let message = write(destination.kind, template, &about).map_err(|_error| "template".to_owned())?;
    match message {
        Message::Nothing => Ok(Outgoing::Nothing),
        Message::Mail(content) => {
            let Target::Email { to } = target else { return Err("target".into()) };
            let mail = |(number, to): (usize, &String)| Mail {
                message_id: format!("<{id}.{number}.{}@{}>", destination.id.simple(), state.mail_domain),
                to: to.clone(),
                content: content.clone(),
            };
            Ok(Outgoing::Mails(to.iter().enumerate().map(mail).collect()))
        }
        Message::Json(body) if destination.kind == Kind::SlackApp => Ok(Outgoing::SlackApp(body)),
        Message::Json(body) => {
            let url = target.url().and_then(|url| Url::parse(url).ok()).ok_or("target")?;
            let body = Bytes::from(body.to_string());
            let mut headers = vec![(header("content-type"), HeaderValue::from_static("application/json"))];
            if let Some(signing) = state.open_signing(destination).map_err(|_error| "signing_secret")? {
                headers.extend(sign(&signing.valid(now), id, now, &body));
            }
            Ok(Outgoing::Http { url, headers, body })
        }
    }
}

fn header(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// The subject of a message.
pub struct About<'a> {
    pub events: &'a [Event],
    /// The address of the console in links.
    pub public_url: Option<&'a str>,
    /// The name of the destination.
    pub destination: &'a str,
    pub routing_key: &'a str,
    /// Whether messages of a Slack app have buttons that decide on a drift.
    pub has_buttons: bool,
    pub now: DateTime<Utc>,
}

/// Writes the message that a kind of destination receives.
///
/// # Errors
/// If the template cannot be rendered.
pub fn write(kind: Kind, template: Option<&str>, about: &About<'_>) -> anyhow::Result<Message> {
    let facts: Vec<Facts> = about.events.iter().map(|event| Facts::of(event, about.public_url)).collect();
    let ([event], [fact]) = (about.events, &facts[..]) else {
        return digest(kind, &facts, about);
    };
    let template = template.map(Template::parse).transpose()?;
    let context = || message::context(event, fact);
    Ok(match (kind, template) {
        (Kind::Webhook, _) => Message::Json(webhook::body(event)),
        (Kind::Pagerduty, _) => {
            pagerduty::event(fact, event, about.routing_key).map_or(Message::Nothing, Message::Json)
        }
        (Kind::Slack, None) => Message::Json(slack::incoming(fact)),
        (Kind::Slack, Some(template)) => {
            Message::Json(slack::incoming_text(fact, &template.render_for_slack(&context())?))
        }
        (Kind::SlackApp, template) => {
            let message = match template {
                None => slack::incoming(fact),
                Some(template) => slack::incoming_text(fact, &template.render_for_slack(&context())?),
            };
            let version = about.has_buttons.then(|| undecided(event)).flatten();
            Message::Json(match version {
                Some((drift, version)) => slack::with_buttons(message, drift, version),
                None => message,
            })
        }
        (Kind::Teams, None) => Message::Json(teams::card(fact)),
        (Kind::Teams, Some(template)) => Message::Json(teams::card_text(fact, &template.render(&context())?)),
        (Kind::Email, None) => Message::Mail(message::mail::mail(fact, about.destination)?),
        (Kind::Email, Some(template)) => {
            Message::Mail(message::mail::mail_text(fact, &template.render(&context())?, about.destination)?)
        }
    })
}

/// Returns the id and the version of a drift that nobody has decided on.
fn undecided(event: &Event) -> Option<(Uuid, i64)> {
    if !event.event_type.starts_with("drift:") || event.text("status") != Some("detected") {
        return None;
    }
    Some((event.text("id")?.parse().ok()?, event.payload["version"].as_i64()?))
}

fn digest(kind: Kind, facts: &[Facts], about: &About<'_>) -> anyhow::Result<Message> {
    let (named, more) = (&facts[..facts.len().min(NAMED)], facts.len().saturating_sub(NAMED));
    Ok(match kind {
        Kind::Webhook => Message::Json(webhook::digest_body(about.events, about.now)),
        Kind::Slack | Kind::SlackApp => Message::Json(slack::incoming_digest(named, more)),
        Kind::Teams => Message::Json(teams::card_digest(named, more)),
        Kind::Email => Message::Mail(message::mail::mail_digest(named, more, about.destination)?),
        // A pager gets each event of its own.
        Kind::Pagerduty => Message::Nothing,
    })
}
