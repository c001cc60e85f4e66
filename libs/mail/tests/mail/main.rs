//! Mails against a real SMTP server.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod config;
mod delivery;
mod failures;
mod templates;

use clap::Parser;
use mail::{Content, Mail, MailConfig, Smtp};
use testing::PrivateSmtp;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    mail: MailConfig,
}

/// Parses settings that are given as `--option=value`.
fn parse(options: &[String]) -> Result<MailConfig, clap::Error> {
    Cli::try_parse_from(std::iter::once("test").chain(options.iter().map(String::as_str))).map(|cli| cli.mail)
}

/// Returns the settings for a server.
fn config(server: &PrivateSmtp, url: &str) -> MailConfig {
    parse(&[
        format!("--smtp-url={url}"),
        format!("--smtp-ca-file={}", server.ca_file().display()),
        "--mail-from=DriftSentry <no-reply@drift.example>".to_owned(),
        "--public-url=https://drift.example/".to_owned(),
    ])
    .unwrap()
}

fn smtp(server: &PrivateSmtp, url: &str) -> Smtp {
    Smtp::new(&config(server, url)).unwrap()
}

fn mail(to: &str) -> Mail {
    let content = Content {
        subject: "Choose a new password".to_owned(),
        text: "Hello".to_owned(),
        html: "<p>Hello</p>".to_owned(),
    };
    Mail { message_id: format!("<{}@drift.example>", uuid::Uuid::new_v4()), to: to.to_owned(), content }
}
