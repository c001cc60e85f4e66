use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use mail::Mail;
use serde::Serialize;
use utoipa::ToSchema;

const MAX_MAILS: usize = 50;
/// The only log lines with addresses and links; they exist in development only.
const LOG_TARGET: &str = "dev_mail";

/// The newest mails of a development process without SMTP, in memory.
#[derive(Clone, Default)]
pub struct DevMailbox(Arc<Mutex<VecDeque<DevMail>>>);

/// A mail that was not sent, because there is no SMTP server.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DevMail {
    id: String,
    to: String,
    subject: String,
    text: String,
    html: String,
    sent_at: DateTime<Utc>,
}

impl DevMailbox {
    pub fn keep(&self, mail: Mail, sent_at: DateTime<Utc>) {
        let Mail { message_id, to, content } = mail;
        // Development only: a person who tries the product opens the link from the log.
        tracing::info!(
            target: LOG_TARGET,
            to,
            subject = content.subject,
            "no SMTP_URL, so this mail stays here:\n{}",
            content.text
        );
        let mail = DevMail {
            id: message_id,
            to,
            subject: content.subject,
            text: content.text,
            html: content.html,
            sent_at,
        };
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_front(mail);
        mails.truncate(MAX_MAILS);
    }

    /// Returns the mails, newest first.
    pub fn mails(&self) -> Vec<DevMail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
