//! The secrets that sign the requests to a webhook. After a rotation, both sign for a while.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::send::WebhookSecret;

/// Time for which the former secret signs too.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Texts such as `whsec_…`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningSecrets {
    current: String,
    former: Option<String>,
    former_until: Option<DateTime<Utc>>,
}

impl SigningSecrets {
    pub fn new(secret: &WebhookSecret) -> Self {
        Self { current: secret.reveal(), former: None, former_until: None }
    }

    pub fn rotated(self, secret: &WebhookSecret, now: DateTime<Utc>) -> Self {
        Self { current: secret.reveal(), former: Some(self.current), former_until: Some(now + OVERLAP) }
    }

    /// The secrets that sign now, the current one first.
    pub fn valid(&self, now: DateTime<Utc>) -> Vec<WebhookSecret> {
        let former = self.former.as_deref().filter(|_| self.former_until.is_some_and(|until| now < until));
        [Some(self.current.as_str()), former].into_iter().flatten().filter_map(WebhookSecret::parse).collect()
    }
}
