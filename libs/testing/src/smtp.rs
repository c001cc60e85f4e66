use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mail_parser::MessageParser;
use tempfile::TempDir;

use crate::guard::Guard;
use crate::tls::{Authority, TlsFiles};
use crate::waiting::wait_for;

/// The user and the password that the server accepts.
const CREDENTIALS: &str = "user:secret";

/// The behaviour of a [`PrivateSmtp`]. It takes effect on the next connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpMode {
    /// Accepts every mail.
    Plain,
    /// Accepts mails only after STARTTLS.
    StartTls,
    /// Refuses every recipient with 550, in a text that contains the address.
    Refusing,
    /// Refuses the next recipients with 451, then accepts.
    Greylisting(u32),
    /// Accepts every mail, but offers neither SMTPUTF8 nor STARTTLS.
    Bare,
    /// Closes the connection in the middle of DATA.
    Dropping,
    /// Accepts connections and never responds.
    Slow,
}

/// A mail that a [`PrivateSmtp`] accepted.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    /// The recipient of the envelope.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// With its angle brackets.
    pub message_id: String,
    /// The mail as received, after the headers `X-Recipient`, `X-Sender` and `X-Encrypted` of the server.
    pub raw: String,
}

/// A private SMTP server on 127.0.0.1: `tests/smtp_server.py`, with aiosmtpd.
pub struct PrivateSmtp {
    ports: [u16; 2],
    server: Child,
    _guard: Guard,
    folder: TempDir,
    ca_file: PathBuf,
}

impl PrivateSmtp {
    /// Starts a server with a certificate of its own authority.
    pub fn start(mode: SmtpMode) -> Self {
        let folder = tempfile::Builder::new().prefix("smtp-").tempdir().expect("a temporary folder");
        let authority = Authority::default();
        let files = TlsFiles::write(folder.path(), &authority, &authority.issue("127.0.0.1"));
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
        let mut server = Command::new(tests.join(".venv/bin/python"))
            .arg(tests.join("smtp_server.py"))
            .args(["--mode", &mode.to_string(), "--folder"])
            .arg(folder.path())
            .arg("--certificate")
            .arg(&files.certificate)
            .arg("--key")
            .arg(&files.key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| match error.kind() {
                ErrorKind::NotFound => panic!("aiosmtpd is not installed: run deploy/test-deps.sh"),
                _ => panic!("smtp_server.py cannot be started: {error}"),
            });
        let guard = Guard::new(&server, "KILL", Some(folder.path()));
        let mut output = BufReader::new(server.stdout.take().expect("stdout is piped")).lines();
        let ports = [(); 2].map(|()| {
            let line = output.next().and_then(Result::ok).expect("smtp_server.py prints its ports");
            line.parse().expect("a port")
        });
        Self { ports, server, _guard: guard, folder, ca_file: files.authority }
    }

    /// Changes the behaviour for the connections that follow.
    pub fn set_mode(&self, mode: SmtpMode) {
        // A connection never reads half a mode.
        let part = self.folder.path().join("mode.part");
        fs::write(&part, mode.to_string()).expect("the folder is writable");
        fs::rename(part, self.folder.path().join("mode")).expect("the folder is writable");
    }

    /// Returns the URL for connections without TLS and without a login.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.ports[0])
    }

    /// Returns the URL for connections with STARTTLS and a login. The client must trust [`ca_file`](Self::ca_file).
    pub fn starttls_url(&self) -> String {
        format!("smtp://{CREDENTIALS}@127.0.0.1:{}?tls=required", self.ports[0])
    }

    /// Returns the URL for connections that begin with TLS, and a login. The client must trust [`ca_file`](Self::ca_file).
    pub fn smtps_url(&self) -> String {
        format!("smtps://{CREDENTIALS}@127.0.0.1:{}", self.ports[1])
    }

    /// Returns the PEM file of the authority that issued the server's certificate.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Returns all mails that the server has accepted, oldest first.
    pub async fn messages(&self) -> Vec<ReceivedMail> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder is readable");
        let mut files = entries.map(|entry| entry.expect("a file").path()).collect::<Vec<_>>();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files.iter().map(|file| parse(&fs::read(file).expect("a whole mail"))).collect()
    }

    /// Waits until the server has accepted `count` mails, and returns all of them, oldest first.
    pub async fn wait_for_messages(&self, count: usize) -> Vec<ReceivedMail> {
        wait_for(&format!("{count} mails"), async || {
            let messages = self.messages().await;
            (messages.len() >= count).then_some(messages)
        })
        .await
    }
}

impl Drop for PrivateSmtp {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

impl std::fmt::Display for SmtpMode {
    /// Writes the mode as `smtp_server.py` reads it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::StartTls => f.write_str("starttls"),
            Self::Refusing => f.write_str("refusing"),
            Self::Greylisting(times) => write!(f, "greylisting {times}"),
            Self::Bare => f.write_str("bare"),
            Self::Dropping => f.write_str("dropping"),
            Self::Slow => f.write_str("slow"),
        }
    }
}

fn parse(raw: &[u8]) -> ReceivedMail {
    let mail = MessageParser::new().parse(raw).expect("a mail");
    let header = |name: &str| mail.header_raw(name).unwrap_or_default().trim().to_owned();
    ReceivedMail {
        to: header("X-Recipient"),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: mail.body_text(0).unwrap_or_default().into_owned(),
        html: mail.body_html(0).unwrap_or_default().into_owned(),
        message_id: header("Message-ID"),
        raw: String::from_utf8_lossy(raw).into_owned(),
    }
}
