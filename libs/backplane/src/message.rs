use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use contracts::Envelope;
use contracts::events::is_logged;
use serde_json::value::RawValue;
use sha1::{Digest, Sha1};

/// A position in the log. `seq` counts from 1 within one `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Identifies one lifetime of the log. A log that was lost starts a new epoch.
    pub epoch: Arc<str>,
    /// The number of the last event at or before this position; 0 before the first.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

/// The error of a text that is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (epoch, seq) = text.rsplit_once(':').ok_or(NotAPosition)?;
        Ok(Self { epoch: epoch.into(), seq: seq.parse().map_err(|_error| NotAPosition)? })
    }
}

/// A message as received from a channel.
#[derive(Debug)]
pub struct Message {
    pub channel: String,
    /// The envelope, its payload unparsed. It has `seq` and `epoch` only if `position` is set.
    pub envelope: Envelope<Box<RawValue>>,
    /// `None` for a message that was published without the log (best effort).
    pub position: Option<Position>,
    /// Size of the whole message in bytes.
    pub size: usize,
}

/// A message and the position that it claims to have in the log.
type Claiming = (Message, Option<Position>);

impl Message {
    /// Reads an entry of the log. Returns `None` if the body is not an envelope.
    pub(crate) fn from_log(channel: String, body: &str) -> Option<Self> {
        let (mut message, position) = Self::read(channel, body)?;
        let placed = position.as_ref().map(|at| (at.seq, at.epoch.to_string()));
        (message.envelope.seq, message.envelope.epoch) = placed.unzip();
        message.position = position;
        Some(message)
    }

    fn read(channel: String, body: &str) -> Option<Claiming> {
        let mut envelope: Envelope<Box<RawValue>> = contracts::parse_json(body).ok()?;
        let claimed = match (envelope.epoch.take(), envelope.seq.take()) {
            (Some(epoch), Some(seq)) => Some(Position { epoch: epoch.into(), seq }),
            _ => None,
        };
        Some((Self { channel, envelope, position: None, size: body.len() }, claimed))
    }
}

/// The result of reading a body from a channel.
#[derive(Debug)]
pub(crate) enum Reading {
    /// An event of the log, or a message without a position.
    Message(Arc<Message>),
    /// A message that claims a position without proof. Only the log can confirm it.
    Unproven(Arc<Message>, Position),
    /// Not an envelope.
    Unreadable,
}

/// A body as received, shared by all feeds of the process and parsed by the first feed that takes it.
#[derive(Debug)]
pub(crate) struct Heard {
    pub channel: String,
    /// Approximate memory in bytes, once parsed.
    pub size: usize,
    body: String,
    secret: Option<Arc<str>>,
    reading: OnceLock<Reading>,
}

impl Heard {
    /// A body that may carry a proof, to be checked against the secret of the log.
    pub(crate) fn new(channel: String, body: String, secret: Option<Arc<str>>) -> Self {
        Self { channel, size: 2 * body.len() + 256, body, secret, reading: OnceLock::new() }
    }

    /// An event that this process has just appended to its own log.
    pub(crate) fn appended(message: Arc<Message>) -> Self {
        let (channel, size) = (message.channel.clone(), message.size + 256);
        Self { channel, size, body: String::new(), secret: None, reading: Reading::Message(message).into() }
    }

    /// Whether the log has the event. A feed whose queue is full reads the event there.
    pub(crate) fn is_in_log(&self) -> bool {
        match self.reading.get() {
            Some(Reading::Message(message)) => message.position.is_some(),
            _ => {
                is_logged(&self.channel)
                    && proven(&self.channel, &self.body, self.secret.as_deref()).is_some()
            }
        }
    }

    pub(crate) fn read(&self) -> &Reading {
        self.reading.get_or_init(|| {
            let has_log = is_logged(&self.channel);
            let proven =
                if has_log { proven(&self.channel, &self.body, self.secret.as_deref()) } else { None };
            let read = match &proven {
                Some(body) => Message::from_log(self.channel.clone(), body).map(|message| (message, None)),
                None => Message::read(self.channel.clone(), &self.body),
            };
            match read {
                None => Reading::Unreadable,
                // Only logged channels have positions; elsewhere the claim means nothing.
                Some((message, Some(claimed))) if has_log => Reading::Unproven(message.into(), claimed),
                Some((message, _)) => Reading::Message(message.into()),
            }
        })
    }
}

const PROOF_START: &str = r#","proof":""#;
const PROOF_END: &str = r#""}"#;
const PROOF_DIGITS: usize = 40;

/// Returns the body as the log has it, if it carries the proof that `append.lua` adds.
fn proven(channel: &str, body: &str, secret: Option<&str>) -> Option<String> {
    let start = body.len().checked_sub(PROOF_START.len() + PROOF_DIGITS + PROOF_END.len())?;
    let (open, proof) = body.split_at_checked(start)?;
    let given = proof.strip_prefix(PROOF_START)?.strip_suffix(PROOF_END)?;
    let body = format!("{open}}}");
    (given == proof_of(secret?, channel, &body)).then_some(body)
}

fn proof_of(secret: &str, channel: &str, body: &str) -> String {
    let inner = Sha1::new().chain_update(secret).chain_update(channel).chain_update("\n").chain_update(body);
    let outer = Sha1::new().chain_update(secret).chain_update(hex::encode(inner.finalize()));
    hex::encode(outer.finalize())
}
