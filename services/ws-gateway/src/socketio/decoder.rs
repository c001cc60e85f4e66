use super::{DecodeError, Header, Packet};
use crate::engineio::Message;

/// Puts packets together from the messages of a session: a text, then the attachments it announced.
#[derive(Debug, Default)]
pub struct Decoder {
    unfinished: Option<Header>,
}

impl Decoder {
    /// The packet that this message completes, if it does.
    pub fn decode(&mut self, message: Message) -> Result<Option<Packet>, DecodeError> {
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
