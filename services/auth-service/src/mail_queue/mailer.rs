use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use mail::{Mail, MailConfig, SendError, Smtp, Templates};

use crate::error::AuthError;
use crate::mail_queue::dev_mailbox::DevMailbox;

/// The way in which this process sends mails.
#[derive(Clone)]
pub struct Mailer {
    pub templates: Arc<Templates>,
    /// The base of all links, without a slash at the end.
    pub public_url: Arc<str>,
    channel: Channel,
}

#[derive(Clone)]
enum Channel {
    Smtp(Arc<Smtp>),
    /// Without SMTP in development.
    Dev(DevMailbox),
    /// Without SMTP elsewhere.
    Off,
}

impl Mailer {
    /// # Errors
    /// If a setting or a template is invalid. The message names the variable or the file.
    pub fn new(config: &MailConfig, is_strict: bool) -> Result<Self> {
        config.check(is_strict)?;
        let channel = if config.is_enabled() {
            Channel::Smtp(Arc::new(Smtp::new(config)?))
        } else if is_strict {
            Channel::Off
        } else {
            Channel::Dev(DevMailbox::default())
        };
        let public_url = config.public_url.as_deref().unwrap_or("http://localhost:3001");
        Ok(Self {
            templates: Arc::new(Templates::load(config.mail_templates.as_deref())?),
            public_url: public_url.trim_end_matches('/').into(),
            channel,
        })
    }

    pub fn is_on(&self) -> bool {
        !matches!(self.channel, Channel::Off)
    }

    /// Refuses a request for a mail if this process sends none.
    pub fn require(&self) -> Result<(), AuthError> {
        if self.is_on() { Ok(()) } else { Err(AuthError::NoMail) }
    }

    /// The mails of this process in development without SMTP.
    pub fn dev_mailbox(&self) -> Option<&DevMailbox> {
        match &self.channel {
            Channel::Dev(mailbox) => Some(mailbox),
            Channel::Smtp(_) | Channel::Off => None,
        }
    }

    /// The domain of Message-IDs: the host of `PUBLIC_URL`.
    pub fn domain(&self) -> &str {
        mail::message_id_domain(&self.public_url)
    }

    pub async fn send(&self, mail: Mail, now: DateTime<Utc>) -> Result<(), SendError> {
        match &self.channel {
            Channel::Smtp(smtp) => smtp.send(&mail).await,
            Channel::Dev(mailbox) => {
                mailbox.keep(mail, now);
                Ok(())
            }
            Channel::Off => Ok(()),
        }
    }
}
