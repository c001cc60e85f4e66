use std::sync::LazyLock;

use actix_http::ws::{CloseCode, CloseReason, Codec, Message};
use actix_web::web::BytesMut;
use bytes::Bytes;
use bytestring::ByteString;
use tokio_util::codec::Encoder;

/// One outgoing message, encoded once and shared by every socket it goes to.
///
/// Server frames are not masked, so the bytes of a WebSocket frame are the same for all; a polling
/// response uses the payload inside the very same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    wire: Bytes,
    payload_at: u8,
    kind: FrameKind,
}

/// The kind of a frame, by which a polling response encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Text,
    Binary,
    /// Exists on a WebSocket only: ping, pong and close.
    Control,
}

impl Frame {
    pub(crate) fn text(text: impl Into<ByteString>) -> Self {
        let text = text.into();
        Self::encode(text.len(), FrameKind::Text, Message::Text(text))
    }

    pub(crate) fn binary(data: Bytes) -> Self {
        Self::encode(data.len(), FrameKind::Binary, Message::Binary(data))
    }

    /// A WebSocket ping, encoded once for all connections.
    pub(crate) fn ping() -> Self {
        static PING: LazyLock<Frame> =
            LazyLock::new(|| Frame::encode(0, FrameKind::Control, Message::Ping(Bytes::new())));
        PING.clone()
    }

    pub(crate) fn pong(data: Bytes) -> Self {
        Self::encode(data.len(), FrameKind::Control, Message::Pong(data))
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        let reason = CloseReason { code: CloseCode::from(code), description: Some(reason.into()) };
        Self::encode(0, FrameKind::Control, Message::Close(Some(reason)))
    }

    /// The close frame of a WebSocket without a fault: it confirms that of the client.
    pub(crate) fn normal_close() -> Self {
        Self::close(1000, "")
    }

    /// Bytes that go to a WebSocket as they are.
    pub(crate) fn raw(bytes: Bytes) -> Self {
        Self { wire: bytes, payload_at: 0, kind: FrameKind::Control }
    }

    /// The whole WebSocket frame.
    pub(crate) fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// The message without the WebSocket header.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.wire[usize::from(self.payload_at)..]
    }

    pub(crate) fn kind(&self) -> FrameKind {
        self.kind
    }

    fn encode(payload_len: usize, kind: FrameKind, message: Message) -> Self {
        let mut wire = BytesMut::with_capacity(payload_len + 10);
        // The codec fails on fragments only.
        let encoded = Codec::new().encode(message, &mut wire);
        debug_assert!(encoded.is_ok());
        let header = wire.len().saturating_sub(payload_len);
        Self { wire: wire.freeze(), payload_at: u8::try_from(header).unwrap_or(0), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_frame_has_an_unmasked_header_and_its_payload() {
        let frame = Frame::text("hello");
        assert_eq!(&frame.wire()[..2], [0x81, 5]);
        assert_eq!(frame.payload(), b"hello");
    }

    #[test]
    fn every_header_length_is_skipped_by_the_payload() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(len);
            assert_eq!(Frame::text(text.clone()).payload(), text.as_bytes());
        }
    }

    #[test]
    fn a_close_frame_carries_its_code() {
        let frame = Frame::close(4403, "session revoked");
        assert_eq!(frame.wire()[0], 0x88);
        assert_eq!(&frame.wire()[2..4], 4403u16.to_be_bytes());
    }
}
