//! Mails: templates in several languages, and delivery to an SMTP server.
//!
//! Stores nothing and retries nothing: the caller keeps the mails that wait, and gives each its `Message-ID`. Start
//! with [`Smtp::send`].

mod address;
mod builtin;
mod config;
mod error;
mod relay;
mod smtp;
mod templates;

pub use address::is_address;
pub use config::{MailConfig, message_id_domain};
pub use error::SendError;
pub use smtp::{Mail, Smtp};
pub use templates::{Content, Templates};
