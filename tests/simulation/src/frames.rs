//! The frames of a WebSocket, as a client reads them from the bytes of the gateway.

/// A frame from the gateway.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Ping,
    /// The close code.
    Close(u16),
    Other,
}

/// Bytes that have arrived.
#[derive(Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next complete frame.
    pub(crate) fn take(&mut self) -> Option<Frame> {
        let (opcode, short) = (self.bytes.first()? & 0x0f, self.bytes.get(1)? & 0x7f);
        let (head, length) = match short {
            126 => (4, usize::from(u16::from_be_bytes(self.bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(self.bytes.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        let payload = self.bytes.get(head..head + length)?.to_vec();
        self.bytes.drain(..head + length);
        Some(match opcode {
            1 => Frame::Text(String::from_utf8(payload).unwrap_or_default()),
            8 => Frame::Close(payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]))),
            9 => Frame::Ping,
            _ => Frame::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_however_the_bytes_are_split() {
        let long = "x".repeat(300);
        let mut wire = vec![0x81, 2, b'o', b'k', 0x89, 0, 0x81, 126, 1, 44];
        wire.extend(long.as_bytes());
        wire.extend([0x88, 2, 0x11, 0x33]);
        let (mut frames, mut read) = (Frames::default(), Vec::new());
        for byte in wire {
            frames.add(&[byte]);
            read.extend(frames.take());
        }
        assert_eq!(read, [Frame::Text("ok".into()), Frame::Ping, Frame::Text(long), Frame::Close(4403)]);
    }
}
