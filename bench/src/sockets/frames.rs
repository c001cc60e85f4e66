//! The part of RFC 6455 that a load generator needs.

/// Number of bytes of a message that are kept for inspection.
const KEPT: usize = 2_048;

pub(super) const TEXT: u8 = 1;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// Finds a server's frames in the bytes read, without a buffer between two reads.
#[derive(Default)]
pub(super) struct FrameReader {
    /// An incomplete header, or the kept part of an incomplete payload.
    part: Vec<u8>,
    opcode: u8,
    /// Number of bytes of the payload that have not arrived yet.
    missing: usize,
}

impl FrameReader {
    /// Calls `each` for each frame that is now complete, with its opcode and the beginning of its payload.
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(u8, &[u8])) {
        let joined;
        let mut bytes = bytes;
        if self.missing == 0 && !self.part.is_empty() {
            joined = [std::mem::take(&mut self.part).as_slice(), bytes].concat();
            bytes = &joined;
        }
        loop {
            if self.missing > 0 {
                let taken = self.missing.min(bytes.len());
                let kept = taken.min(KEPT.saturating_sub(self.part.len()));
                self.part.extend_from_slice(&bytes[..kept]);
                self.missing -= taken;
                bytes = &bytes[taken..];
                if self.missing > 0 {
                    return;
                }
                each(self.opcode, &std::mem::take(&mut self.part));
            }
            let Some((opcode, header, length)) = header(bytes) else {
                self.part = bytes.to_vec();
                return;
            };
            let payload = &bytes[header..];
            if payload.len() >= length {
                each(opcode, &payload[..length.min(KEPT)]);
                bytes = &payload[length..];
            } else {
                (self.opcode, self.missing) = (opcode, length);
                bytes = payload;
            }
        }
    }
}

/// Returns the opcode and the lengths of header and payload; `None` if the header is incomplete.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (header, length) = match second & 0x7f {
        126 => (4, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*rest.first_chunk()?)),
        length => (2, u64::from(length)),
    };
    Some((first & 0x0f, header, usize::try_from(length).ok()?))
}

/// Creates a client's frame, masked with zeros, so that the payload stays readable.
pub(super) fn client_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length.to_be_bytes()[1]),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x81];
        match payload.len() {
            0..126 => frame.push(payload.len() as u8),
            126..65_536 => {
                frame.push(126);
                frame.extend((payload.len() as u16).to_be_bytes());
            }
            _ => {
                frame.push(127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn frames_are_found_at_any_read_boundary() {
        let payloads = [vec![], vec![b'a'; 5], vec![b'b'; 300], vec![b'c'; 70_000], vec![b'd'; 125]];
        let stream = payloads.iter().flat_map(|payload| server_frame(payload)).collect::<Vec<_>>();
        for read in [1, 2, 3, 7, 1_000, stream.len()] {
            let (mut reader, mut found) = (FrameReader::default(), Vec::new());
            for bytes in stream.chunks(read) {
                reader.feed(bytes, |opcode, payload| found.push((opcode, payload.to_vec())));
            }
            let kept = payloads.iter().map(|payload| (TEXT, payload[..payload.len().min(KEPT)].to_vec()));
            assert_eq!(found, kept.collect::<Vec<_>>(), "reads of {read}");
        }
    }

    #[test]
    fn a_client_frame_has_its_length_and_is_masked() {
        for length in [0, 5, 125, 126, 65_535, 65_536] {
            let frame = client_frame(TEXT, &vec![b'x'; length]);
            assert_eq!(frame[1] & 0x80, 0x80);
            let (opcode, header, said) = header(&frame).unwrap();
            assert_eq!((opcode, said), (TEXT, length));
            assert_eq!(frame.len(), header + 4 + length);
        }
    }
}
