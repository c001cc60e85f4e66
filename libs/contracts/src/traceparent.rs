use std::fmt;
use std::str::FromStr;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A position in a trace, shared across processes (W3C Trace Context).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// Shared by all work that one request causes; not 0.
    pub trace_id: u128,
    /// Identifies this piece of work; not 0.
    pub span_id: u64,
    /// Whether the process that began the trace records it.
    pub sampled: bool,
}

/// The text is not a valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATraceparent;

impl FromStr for Traceparent {
    type Err = NotATraceparent;

    fn from_str(text: &str) -> Result<Self, NotATraceparent> {
        let mut parts = text.split('-');
        let mut hex = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits).ok_or(NotATraceparent)?;
            let fits = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            u128::from_str_radix(part, 16).ok().filter(|_| fits).ok_or(NotATraceparent)
        };
        let (version, trace_id, span_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        // Later versions may append further fields.
        if version == 0xff || version == 0 && parts.next().is_some() || trace_id == 0 || span_id == 0 {
            return Err(NotATraceparent);
        }
        Ok(Self { trace_id, span_id: span_id as u64, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, span_id, sampled } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(*sampled))
    }
}

impl Serialize for Traceparent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Treats an invalid traceparent as absent, so that the event still gets through.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Traceparent>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sent {
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Sent::deserialize(from)? {
        Sent::Text(text) => text.parse().ok(),
        Sent::Other(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_written_traceparent_reads_back_unchanged() {
        let read = GOOD.parse::<Traceparent>().unwrap();
        assert!(read.sampled);
        assert_eq!(read.to_string(), GOOD);
        assert_eq!(format!("01{}-more", &GOOD[2..]).parse(), Ok(read));
    }

    #[test]
    fn a_traceparent_that_the_standard_forbids_is_refused() {
        let bad = [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ];
        for text in bad {
            assert_eq!(text.parse::<Traceparent>(), Err(NotATraceparent), "{text}");
        }
    }
}
