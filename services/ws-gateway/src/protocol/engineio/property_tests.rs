//! Payloads and packets in general, the life of a transport, and the heartbeat.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use engineioxide_core::ProtocolVersion;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::protocol::Frame;

fn message() -> impl Strategy<Value = Packet> {
    prop_oneof![
        "[^\u{1e}]{0,20}".prop_map(|text| Packet::Message(Message::Text(text.into()))),
        prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|data| Packet::Message(Message::Binary(data.into()))),
    ]
}

fn packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        message(),
        Just(Packet::Close),
        Just(Packet::Ping("probe".into())),
        Just(Packet::Ping("".into())),
        Just(Packet::Pong("".into())),
        Just(Packet::Upgrade),
        Just(Packet::Noop),
    ]
}

fn lane() -> impl Strategy<Value = Lane> {
    prop_oneof![Just(Lane::Polling), Just(Lane::WebSocket)]
}

proptest! {
    #[test]
    fn a_payload_decodes_to_the_packets_it_was_made_of(packets in prop::collection::vec(packet(), 1..6)) {
        let frames: Vec<Frame> = packets.iter().map(Packet::frame).collect();
        prop_assert_eq!(decode_payload(encode_payload(&frames)), Ok(packets));
    }

    #[test]
    fn nothing_makes_the_payload_decoder_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = decode_payload(Bytes::from(body));
    }

    #[test]
    fn another_implementation_takes_the_packets_that_we_take(text in "[0-9b]?(probe|[a-z{}\"]{0,5})") {
        let ours = Packet::decode(&ByteString::from(text.as_str()));
        let theirs = engineioxide_core::Packet::parse(ProtocolVersion::V4, text.clone());
        use engineioxide_core::Packet as Theirs;
        match (ours, theirs) {
            (Ok(Packet::Message(Message::Text(text))), Ok(Theirs::Message(other))) => {
                prop_assert_eq!(&*text, other.as_str());
            }
            (Ok(Packet::Close), Ok(Theirs::Close))
            | (Ok(Packet::Pong(_)), Ok(Theirs::Pong | Theirs::PongUpgrade))
            | (Ok(Packet::Ping(_)), Ok(Theirs::Ping | Theirs::PingUpgrade))
            | (Ok(Packet::Upgrade), Ok(Theirs::Upgrade))
            | (Ok(Packet::Noop), Ok(Theirs::Noop))
            | (Err(_), Err(_) | Ok(Theirs::Binary(_) | Theirs::BinaryV3(_))) => {}
            // Like the reference implementation, we ignore data after a packet that should have none. Only servers
            // send an open packet.
            (Ok(Packet::Ping(_) | Packet::Pong(_) | Packet::Open(_)), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{text:?}: {ours:?}, but {theirs:?}"),
        }
    }

    #[test]
    fn a_transport_moves_to_a_web_socket_once_and_only_after_a_probe(
        steps in prop::collection::vec((lane(), packet(), any::<bool>()), 0..20)
    ) {
        let mut transport = Transport::Polling;
        for (lane, packet, probes) in steps {
            let before = transport;
            if probes {
                prop_assert_eq!(transport.probe(), before == Transport::Polling);
            }
            let before = transport;
            match transport.receive(lane, packet) {
                Received::Upgraded => {
                    prop_assert_eq!(before, Transport::Upgrading { probed: true });
                    prop_assert_eq!(transport, Transport::WebSocket);
                }
                Received::Message(_) => {
                    prop_assert_eq!(lane == Lane::Polling, before.is_polling());
                }
                Received::Violation | Received::Closed => break,
                _ => prop_assert_eq!(before.is_polling(), transport.is_polling()),
            }
        }
    }

    #[test]
    fn a_client_that_answers_in_time_lives_and_any_other_does_not(answers in prop::collection::vec(any::<bool>(), 1..20)) {
        let (interval, timeout) = (Duration::from_secs(25), Duration::from_secs(20));
        let mut now = Instant::now();
        let mut heartbeat = Heartbeat::new(interval, timeout, now);
        for answers in answers {
            now += interval;
            prop_assert_eq!(heartbeat.beat(now), Beat::Ping);
            prop_assert_eq!(heartbeat.beat(now), Beat::Nothing);
            if !answers {
                prop_assert_eq!(heartbeat.beat(now + timeout), Beat::Dead);
                break;
            }
            now += timeout / 2;
            heartbeat.pong(now);
            prop_assert_eq!(heartbeat.beat(now), Beat::Nothing);
        }
    }
}
