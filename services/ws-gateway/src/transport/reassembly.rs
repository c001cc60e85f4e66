//! Assembles WebSocket messages from bytes.

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use actix_web::web::BytesMut;
use bytes::Bytes;
use bytestring::ByteString;
use tokio_util::codec::Decoder;

use super::incoming::Incoming;

/// The received bytes of an incomplete message. Holds no memory between two messages.
pub(super) struct Reassembly {
    bytes: BytesMut,
    codec: Codec,
    /// The largest message taken in.
    limit: usize,
    fragments: Option<Box<Fragments>>,
}

struct Fragments {
    is_text: bool,
    bytes: BytesMut,
}

impl Reassembly {
    pub(super) fn new(received: BytesMut, limit: usize) -> Self {
        Self { bytes: received, codec: Codec::new().max_size(limit), limit, fragments: None }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is complete.
    pub(super) fn next(&mut self) -> Option<Incoming> {
        loop {
            if announced(&self.bytes) > self.limit as u64 {
                return Some(Incoming::TooLarge);
            }
            let frame = match self.codec.decode(&mut self.bytes) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(ProtocolError::Overflow) => return Some(Incoming::TooLarge),
                Err(_) => return Some(Incoming::Malformed),
            };
            let incoming = match frame {
                Frame::Text(bytes) => Some(text(bytes)),
                Frame::Binary(bytes) => Some(Incoming::Binary(bytes)),
                Frame::Ping(bytes) => Some(Incoming::Ping(bytes)),
                Frame::Pong(_) => Some(Incoming::Pong),
                Frame::Close(_) => Some(Incoming::Close),
                Frame::Continuation(item) => self.put_together(item),
            };
            if incoming.is_some() {
                return incoming;
            }
        }
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
        None
    }

    /// The codec checks the order of fragments.
    fn put_together(&mut self, item: Item) -> Option<Incoming> {
        let (bytes, is_last) = match item {
            Item::FirstText(bytes) => return self.begin(true, &bytes),
            Item::FirstBinary(bytes) => return self.begin(false, &bytes),
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        let fragments = self.fragments.as_mut()?;
        if fragments.bytes.len() + bytes.len() > self.limit {
            return Some(Incoming::TooLarge);
        }
        fragments.bytes.extend_from_slice(&bytes);
        if !is_last {
            return None;
        }
        let Fragments { is_text, bytes } = *self.fragments.take()?;
        Some(if is_text { text(bytes.freeze()) } else { Incoming::Binary(bytes.freeze()) })
    }

    fn begin(&mut self, is_text: bool, bytes: &Bytes) -> Option<Incoming> {
        self.fragments = Some(Box::new(Fragments { is_text, bytes: BytesMut::from(&bytes[..]) }));
        None
    }
}

fn text(bytes: Bytes) -> Incoming {
    ByteString::try_from(bytes).map_or(Incoming::Malformed, Incoming::Text)
}

/// The length in the header of the first frame, so that a frame that is too long is refused by its header, and
/// not after it was buffered.
fn announced(bytes: &[u8]) -> u64 {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    match (bytes.get(1).map(|second| second & 0x7f), bytes.get(2..4), bytes.get(2..10)) {
        (Some(126), Some(length), _) | (Some(127), _, Some(length)) => number(length),
        (Some(length @ 0..=125), ..) => u64::from(length),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    /// A masked frame, as clients send it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn read(pieces: impl IntoIterator<Item = Vec<u8>>, limit: usize) -> Vec<Incoming> {
        let mut reassembly = Reassembly::new(BytesMut::new(), limit);
        let mut messages = Vec::new();
        for piece in pieces {
            reassembly.feed(&piece);
            while let Some(message) = reassembly.next() {
                let ends = matches!(message, Incoming::TooLarge | Incoming::Malformed);
                messages.push(message);
                if ends {
                    return messages;
                }
            }
        }
        messages
    }

    fn said(text: &str) -> Incoming {
        Incoming::Text(text.into())
    }

    #[test]
    fn messages_are_the_same_whole_or_byte_by_byte() {
        let texts = [0, 5, 125, 126, 1_000, 65_536].map(|length| "x".repeat(length));
        let bytes: Vec<u8> = texts.iter().flat_map(|text| frame(0x81, text.as_bytes())).collect();
        let expected: Vec<_> = texts.iter().map(|text| said(text)).collect();
        assert_eq!(read([bytes.clone()], 65_536), expected);
        assert_eq!(read(bytes.chunks(1).map(Vec::from), 65_536), expected);
    }

    #[test]
    fn fragments_are_put_together_around_a_ping() {
        let pieces = [frame(0x01, b"a"), frame(0x89, b"?"), frame(0x00, b"b"), frame(0x80, b"c")];
        assert_eq!(read(pieces, 10), [Incoming::Ping(Bytes::from_static(b"?")), said("abc")]);
        let pieces = [frame(0x02, b"a"), frame(0x80, b"b")];
        assert_eq!(read(pieces, 10), [Incoming::Binary(Bytes::from_static(b"ab"))]);
    }

    #[test]
    fn a_message_over_the_limit_is_refused() {
        assert_eq!(read([frame(0x81, b"12345")], 4), [Incoming::TooLarge]);
        assert_eq!(read([frame(0x01, b"123"), frame(0x80, b"45")], 4), [Incoming::TooLarge]);
    }

    #[test]
    fn a_frame_that_is_too_long_is_seen_by_its_header() {
        assert_eq!(read([frame(0x81, &[b'x'; 65_537])[..10].to_vec()], 65_536), [Incoming::TooLarge]);
        assert_eq!(read([vec![0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255]], 9), [Incoming::TooLarge]);
    }

    #[test]
    fn bytes_that_are_no_websocket_frames_are_malformed() {
        assert_eq!(read([b"GET / HTTP/1.1\r\n\r\n".to_vec()], 1_000), [Incoming::Malformed]);
        assert_eq!(read([frame(0x81, &[0xff, 0xfe])], 10), [Incoming::Malformed]);
        assert_eq!(read([frame(0x80, b"nothing begun")], 100), [Incoming::Malformed]);
    }

    #[test]
    fn nothing_is_kept_between_messages() {
        let mut reassembly = Reassembly::new(BytesMut::new(), 65_536);
        reassembly.feed(&frame(0x81, &[b'x'; 60_000]));
        assert!(reassembly.next().is_some());
        assert_eq!((reassembly.next(), reassembly.bytes.capacity()), (None, 0));
    }
}
