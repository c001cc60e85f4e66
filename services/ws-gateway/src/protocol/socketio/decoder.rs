use super::packet::{DecodeError, Header, SocketPacket};
use crate::protocol::engineio::Message;

/// Puts packets together from the messages of a session: a text, then the attachments it announced.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    unfinished: Option<Header>,
}

impl Decoder {
    /// Returns the packet that this message completes.
    pub(crate) fn decode(&mut self, message: Message) -> Result<Option<SocketPacket>, DecodeError> {
        let header = match (message, self.unfinished.take()) {
            (Message::Text(text), None) => Header::decode(&text)?,
            (Message::Binary(data), Some(mut header)) => {
                header.packet.attachments.push(data);
                header
            }
            _ => return Err(DecodeError::UnexpectedFrame),
        };
        if header.packet.attachments.len() < header.attachments {
            self.unfinished = Some(header);
            return Ok(None);
        }
        Ok(Some(header.packet))
    }
}
