use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

const MAX_HEADER: usize = 14;

/// Ends a WebSocket's bytes with [`PayloadError::Overflow`] as soon as a frame says that it is longer
/// than `limit`. actix-ws says so too, but only when it has buffered the whole of it.
pub fn guarded(payload: Payload, limit: usize) -> Payload {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut lengths = FrameLengths::default();
    let checked = payload.map(move |bytes| {
        let bytes = bytes?;
        if lengths.fit(&bytes, limit) { Ok(bytes) } else { Err(PayloadError::Overflow) }
    });
    let checked: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(checked);
    Payload::Stream { payload: checked }
}

/// Follows frames just far enough to see how long each says it is.
#[derive(Default)]
struct FrameLengths {
    header: [u8; MAX_HEADER],
    filled: usize,
    /// Bytes of the present frame that are still to come.
    remaining: u64,
}

impl FrameLengths {
    /// Whether no frame that begins in these bytes is longer than the limit.
    fn fit(&mut self, mut bytes: &[u8], limit: u64) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            if self.remaining > 0 {
                let skipped = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(bytes.len());
                self.remaining -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header[self.filled] = *first;
            self.filled += 1;
            bytes = rest;
            if self.filled == self.header_length() {
                self.remaining = self.payload_length();
                self.filled = 0;
                if self.remaining > limit {
                    return false;
                }
            }
        }
        true
    }

    /// As far as it can be told: at least two bytes.
    fn header_length(&self) -> usize {
        if self.filled < 2 {
            return 2;
        }
        let mask = if self.header[1] & 0x80 == 0 { 0 } else { 4 };
        mask + match self.header[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        }
    }

    fn payload_length(&self) -> u64 {
        let h = &self.header;
        match h[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes([h[2], h[3]])),
            127 => u64::from_be_bytes([h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9]]),
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = vec![0x81];
        match length {
            0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
            126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(std::iter::repeat_n(0xff, length));
        frame
    }

    #[test]
    fn frames_of_every_form_pass_whole_or_byte_by_byte() {
        let bytes: Vec<u8> = [0, 5, 125, 126, 1_000, 65_536].into_iter().flat_map(frame).collect();
        assert!(FrameLengths::default().fit(&bytes, 65_536));
        let mut slowly = FrameLengths::default();
        assert!(bytes.chunks(1).all(|byte| slowly.fit(byte, 65_536)));
        assert_eq!((slowly.filled, slowly.remaining), (0, 0));
    }

    #[test]
    fn a_frame_that_is_too_long_is_seen_by_its_header() {
        let mut lengths = FrameLengths::default();
        assert!(lengths.fit(&frame(10), 65_536));
        assert!(!lengths.fit(&frame(65_537)[..14], 65_536));
        assert!(
            !FrameLengths::default()
                .fit(&[0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], 9)
        );
    }
}
