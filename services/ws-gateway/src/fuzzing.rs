//! The targets of a fuzzer: the decoders of everything that a client sends.

use bytes::Bytes;
use bytestring::ByteString;

use crate::protocol::engineio::{Message, decode_payload};
use crate::protocol::plain::PlainRequest;
use crate::protocol::socketio::Decoder;

/// The body of a polling POST.
pub fn engineio_payload(data: &[u8]) {
    let _ = decode_payload(Bytes::copy_from_slice(data));
}

/// A run of Socket.IO messages: text, and after a 0xff byte an attachment.
pub fn socketio_packet(data: &[u8]) {
    let mut decoder = Decoder::default();
    for (index, part) in data.split(|byte| *byte == 0xff).enumerate() {
        let message = match ByteString::try_from(part) {
            Ok(text) if index == 0 => Message::Text(text),
            _ => Message::Binary(Bytes::copy_from_slice(part)),
        };
        if decoder.decode(message).is_err() {
            return;
        }
    }
}

/// A message of `/ws`.
pub fn plain_message(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        let _ = PlainRequest::decode(text);
    }
}
