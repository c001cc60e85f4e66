use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use identity::parse_duration;
use url::{Host, Url};

use crate::address::parse_sender;
use crate::relay::{Relay, is_loopback};

/// Settings of mails. Without `SMTP_URL` there are none.
#[derive(Args, Clone)]
#[group(id = "mail")]
pub struct MailConfig {
    /// Mail server, such as smtp://user:password@host:587 (with STARTTLS; ?tls=none for none) or smtps://user:password@host
    #[arg(long, env = "SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// Certificates to trust for the mail server instead of those of the platform, as a PEM file
    #[arg(long, env = "SMTP_CA_FILE", value_name = "FILE")]
    pub smtp_ca_file: Option<PathBuf>,

    /// Time for the delivery of one mail to the mail server
    #[arg(long, env = "SMTP_TIMEOUT", default_value = "15s", value_parser = parse_duration)]
    pub smtp_timeout: Duration,

    /// Sender of mails, such as "DriftSentry <no-reply@example.com>"
    #[arg(long, env = "MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// Address of the console in the browsers of your users, for links in mails, such as https://drift.example.com
    #[arg(long, env = "PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,

    /// Folder with templates of mails that replace the built-in ones
    #[arg(long, env = "MAIL_TEMPLATES", value_name = "FOLDER")]
    pub mail_templates: Option<PathBuf>,
}

impl MailConfig {
    /// Whether mails can be sent.
    pub fn is_enabled(&self) -> bool {
        self.smtp_url.is_some()
    }

    /// Checks the settings that depend on each other. If `strict`, as outside development, links need HTTPS, and a
    /// mail server at a public address needs TLS.
    ///
    /// # Errors
    /// One sentence that names the variable, and never the value of `SMTP_URL`.
    pub fn check(&self, strict: bool) -> Result<()> {
        if let Some(url) = self.public_url.as_deref().filter(|_| strict) {
            ensure!(
                url.starts_with("https://") || Url::parse(url)?.host().is_some_and(|host| is_loopback(&host)),
                "PUBLIC_URL must begin with https://, since mails contain links that log people in"
            );
        }
        if let Some(from) = &self.mail_from {
            parse_sender(from).context("MAIL_FROM")?;
        }
        let Some(url) = &self.smtp_url else { return Ok(()) };
        let relay = Relay::parse(url).context("SMTP_URL")?;
        ensure!(self.mail_from.is_some(), "SMTP_URL needs MAIL_FROM, the sender of the mails");
        ensure!(
            self.public_url.is_some(),
            "SMTP_URL needs PUBLIC_URL, the address in the links of the mails"
        );
        ensure!(
            !strict || relay.is_encrypted() || platform::is_private_name(&relay.host, relay.port),
            "SMTP_URL names a public address without TLS: remove tls=none, or use smtps://"
        );
        Ok(())
    }
}

/// Returns the domain of Message-IDs: the host of `PUBLIC_URL`.
pub fn message_id_domain(public_url: &str) -> &str {
    let host = public_url.split("://").nth(1).unwrap_or_default();
    host.split([':', '/']).next().filter(|host| !host.is_empty()).unwrap_or("localhost")
}

/// Returns the URL without a slash at its end.
fn parse_public_url(text: &str) -> Result<String, String> {
    let wanted =
        || "must be a URL such as https://drift.example.com, without a login, query or fragment".to_owned();
    let url = Url::parse(text.trim()).map_err(|_cause| wanted())?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let has_host =
        matches!(url.scheme(), "http" | "https") && url.host().is_some_and(|host| host != Host::Domain(""));
    if is_plain && has_host { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(wanted()) }
}
