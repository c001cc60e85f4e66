use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::Bytes;
use bytestring::ByteString;

use super::packet::{Message, Packet, PacketError};
use crate::protocol::{Frame, FrameKind};

const SEPARATOR: char = '\x1e';

/// Clients write base64 with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads the body of a polling POST: packets joined by the record separator, binary ones as `b`
/// and base64. An empty body, like an empty packet, is an error.
pub(crate) fn decode_payload(body: Bytes) -> Result<Vec<Packet>, PacketError> {
    let body = ByteString::try_from(body).map_err(|_error| PacketError::NotUtf8)?;
    body.split(SEPARATOR)
        .map(|packet| match packet.strip_prefix('b') {
            Some(base64) => {
                // The Java client inserts line breaks into the base64.
                let digits = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
                let data = LENIENT.decode(digits).map_err(|_error| PacketError::NotBase64)?;
                Ok(Packet::Message(Message::Binary(data.into())))
            }
            None => Packet::decode(&body.slice_ref(packet)),
        })
        .collect()
}

/// Writes the body of a polling response. Frames that exist on a WebSocket only are left out.
pub(crate) fn encode_payload<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Bytes {
    let mut body = Vec::new();
    for frame in frames {
        if frame.kind() == FrameKind::Control {
            continue;
        }
        if !body.is_empty() {
            body.push(SEPARATOR as u8);
        }
        if frame.kind() == FrameKind::Text {
            body.extend_from_slice(frame.payload());
        } else {
            body.push(b'b');
            body.extend_from_slice(STANDARD.encode(frame.payload()).as_bytes());
        }
    }
    body.into()
}
