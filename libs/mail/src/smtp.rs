use std::time::Duration;

use anyhow::{Context, Result};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::{Address, Message};
use tokio::time::timeout;

use crate::address::{parse_recipient, parse_sender};
use crate::config::MailConfig;
use crate::error::{Phase, SendError};
use crate::relay::{Relay, Security};
use crate::templates::Content;

/// Time for the end of the conversation, after the server has accepted the mail.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail to one person.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `<id@domain>`. A mail that is sent again keeps its id, so that mail programs show it once.
    pub message_id: String,
    pub to: String,
    pub content: Content,
}

/// Delivers mails to the mail server of the settings.
///
/// Each mail has its own connection. A pool would reuse the connection of a delivery that timed out, in the middle of
/// its mail.
pub struct Smtp {
    relay: Relay,
    tls: TlsParameters,
    from: Mailbox,
    client: ClientId,
    timeout: Duration,
}

impl Smtp {
    /// Reads the certificates, and connects to no server yet.
    ///
    /// # Errors
    /// If the settings are incomplete, or `SMTP_CA_FILE` is unusable. The error names the variable.
    pub fn new(config: &MailConfig) -> Result<Self> {
        let relay =
            Relay::parse(config.smtp_url.as_deref().context("SMTP_URL is missing")?).context("SMTP_URL")?;
        let from = parse_sender(config.mail_from.as_deref().context("SMTP_URL needs MAIL_FROM")?);
        let from = from.context("MAIL_FROM")?;
        let mut tls = TlsParameters::builder(relay.host.clone());
        if let Some(file) = &config.smtp_ca_file {
            let name = || format!("SMTP_CA_FILE {}", file.display());
            let certificate =
                Certificate::from_pem(&std::fs::read(file).with_context(name)?).with_context(name)?;
            tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        Ok(Self {
            tls: tls.build().context("TLS for SMTP_URL")?,
            client: ClientId::Domain(from.email.domain().to_owned()),
            timeout: config.smtp_timeout,
            relay,
            from,
        })
    }

    /// Delivers a mail to the mail server, within `SMTP_TIMEOUT`.
    ///
    /// # Errors
    /// If the server did not confirm the mail. After a timeout or a lost connection, the mail may have arrived.
    pub async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = self.compose(mail)?;
        let delivery = timeout(self.timeout, self.deliver(&message)).await;
        let mut connection = delivery.map_err(|_elapsed| SendError::timeout())??;
        // The mail has arrived, however the conversation ends.
        timeout(GOODBYE, connection.quit()).await.ok();
        Ok(())
    }

    fn compose(&self, mail: &Mail) -> Result<Message, SendError> {
        let to = parse_recipient(&mail.to).map_err(SendError::address)?;
        let Content { subject, text, html } = mail.content.clone();
        // No program sends a reply such as "out of office" to an automatic mail.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(mail.message_id.clone()))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(SendError::address)
    }

    async fn deliver(&self, message: &Message) -> Result<AsyncSmtpConnection, SendError> {
        let mut connection = self.connect().await?;
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let has_utf8 = connection.server_info().supports_feature(Extension::SmtpUtfEight);
        if !has_utf8 && !message.envelope().to().iter().all(is_ascii) {
            return Err(SendError::address("the mail server does not offer SMTPUTF8"));
        }
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        sent.map_err(|error| SendError::from_smtp(Phase::Mail, error))?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let Relay { host, port, security, credentials } = &self.relay;
        let tls = (*security == Security::Tls).then(|| self.tls.clone());
        let connected =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), None, &self.client, tls, None).await;
        let mut connection = connected.map_err(|error| SendError::from_smtp(Phase::Connect, error))?;
        if *security == Security::StartTls {
            let secured = connection.starttls(self.tls.clone(), &self.client).await;
            secured.map_err(|error| SendError::from_smtp(Phase::StartTls, error))?;
        }
        if let Some(credentials) = credentials {
            let logged_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            logged_in.map_err(|error| SendError::from_smtp(Phase::Login, error))?;
        }
        Ok(connection)
    }
}
