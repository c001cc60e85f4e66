//! The addresses and secrets of destinations. They are stored encrypted, and never shown again.

use http::ApiError;
use mail::is_address;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use url::Url;
use utoipa::ToSchema;

use crate::send::Client;

const MAX_RECIPIENTS: usize = 20;
const MAX_SECRET: usize = 500;
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// The kinds of destinations.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    EnumIter,
    DeriveActiveEnum,
    IntoStaticStr,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
#[serde(rename_all = "camelCase")]
#[schema(as = DestinationKind)]
pub enum Kind {
    Webhook,
    /// An incoming webhook of Slack.
    Slack,
    /// A Slack app with a bot token.
    SlackApp,
    /// A workflow of Microsoft Teams.
    Teams,
    /// The Events API v2 of PagerDuty.
    Pagerduty,
    Email,
}

/// Where a destination is, with its secrets.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Target {
    Webhook {
        #[schema(max_length = 2048)]
        url: String,
    },
    Slack {
        #[schema(max_length = 2048)]
        url: String,
    },
    SlackApp {
        /// The token of the bot, such as `xoxb-…`, with the scope `chat:write`
        #[schema(max_length = 500)]
        bot_token: String,
        /// The secret with which Slack signs its requests
        #[schema(max_length = 500)]
        signing_secret: String,
        /// The id of the channel, such as `C0123456789`, or its name
        #[schema(min_length = 1, max_length = 80)]
        channel: String,
        /// The address of the Web API, if it is not https://slack.com/api
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(max_length = 2000)]
        api_url: Option<String>,
    },
    Teams {
        #[schema(max_length = 2048)]
        url: String,
    },
    Pagerduty {
        /// The integration key of the service
        #[schema(max_length = 500)]
        routing_key: String,
        /// The address of the Events API, if it is not https://events.pagerduty.com/v2/enqueue
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(max_length = 2048)]
        url: Option<String>,
    },
    Email {
        #[schema(min_items = 1, max_items = 20)]
        to: Vec<String>,
    },
}

impl Target {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Webhook { .. } => Kind::Webhook,
            Self::Slack { .. } => Kind::Slack,
            Self::SlackApp { .. } => Kind::SlackApp,
            Self::Teams { .. } => Kind::Teams,
            Self::Pagerduty { .. } => Kind::Pagerduty,
            Self::Email { .. } => Kind::Email,
        }
    }

    /// The address of the request, unless it is a mail.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Webhook { url } | Self::Slack { url } | Self::Teams { url } => Some(url),
            Self::Pagerduty { url, .. } => Some(url.as_deref().unwrap_or(PAGERDUTY)),
            Self::SlackApp { api_url, .. } => api_url.as_deref(),
            Self::Email { .. } => None,
        }
    }

    /// The name of the field with the address.
    fn url_field(&self) -> &'static str {
        if matches!(self, Self::SlackApp { .. }) { "target.apiUrl" } else { "target.url" }
    }

    /// Checks everything that a person entered.
    ///
    /// # Errors
    /// 400, which names the field.
    pub fn check(&self, client: &Client, sends_mail: bool) -> Result<(), ApiError> {
        if let Some(url) = self.url() {
            client
                .check(url)
                .map_err(|refusal| ApiError::validation(self.url_field(), refusal.to_string()))?;
        }
        match self {
            Self::Pagerduty { routing_key, .. } if !is_secret(routing_key) => Err(ApiError::validation(
                "target.routingKey",
                "must have 1 to 500 characters of ASCII without spaces",
            )),
            Self::SlackApp { bot_token, .. } if !is_secret(bot_token) => Err(ApiError::validation(
                "target.botToken",
                "must have 1 to 500 characters of ASCII without spaces",
            )),
            Self::SlackApp { signing_secret, .. } if !is_secret(signing_secret) => Err(ApiError::validation(
                "target.signingSecret",
                "must have 1 to 500 characters of ASCII without spaces",
            )),
            Self::SlackApp { channel, .. } if !is_channel(channel) => Err(ApiError::validation(
                "target.channel",
                "must have 1 to 80 characters, such as C0123456789 or #drifts",
            )),
            Self::Email { .. } if !sends_mail => {
                Err(ApiError::validation("target.kind", "needs SMTP_URL, which is not set"))
            }
            Self::Email { to } if to.is_empty() || to.len() > MAX_RECIPIENTS => {
                Err(ApiError::validation("target.to", "must have 1 to 20 addresses"))
            }
            Self::Email { to } => match to.iter().find(|address| !is_address(address)) {
                Some(_) => {
                    Err(ApiError::validation("target.to", "must have addresses such as ann@example.com"))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The part that everybody who sees the destination may see: the host of an address, the channel, or the recipients.
    pub fn shown(&self) -> String {
        let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let shown = match self {
            Self::Email { to } => to.join(", "),
            Self::SlackApp { channel, .. } => channel.clone(),
            _ => self.url().and_then(host).unwrap_or_default(),
        };
        shown.chars().take(300).collect()
    }
}

fn is_secret(text: &str) -> bool {
    (1..=MAX_SECRET).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_channel(text: &str) -> bool {
    let length = text.chars().count();
    (1..=80).contains(&length) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
