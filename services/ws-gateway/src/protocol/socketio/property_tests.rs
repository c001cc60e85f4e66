//! Properties of packets: decoding reverses encoding, bad input causes an error and never a panic, and the codec of
//! another implementation agrees.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use socketioxide_core::packet::PacketData;
use socketioxide_core::parser::{Parse, ParseConfig, ParserState};
use socketioxide_parser_common::CommonParser;

use super::*;
use crate::protocol::engineio::Message;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,5}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn packet() -> impl Strategy<Value = SocketPacket> {
    let content = prop_oneof![
        prop::option::of(prop::collection::btree_map("[a-z]{1,5}", value(), 0..3))
            .prop_map(|auth| { Content::Connect { auth: auth.map(|auth| auth.into_iter().collect()) } }),
        Just(Content::Disconnect),
        ("[a-z:]{1,12}", prop::collection::vec(value(), 0..4), prop::option::of(0..u64::from(u32::MAX)))
            .prop_filter("not reserved", |(name, ..)| !RESERVED_EVENTS.contains(&name.as_str()))
            .prop_map(|(name, args, ack)| Content::Event { name, args, ack }),
        (prop::collection::vec(value(), 0..4), 0..u64::from(u32::MAX))
            .prop_map(|(args, id)| Content::Ack { id, args }),
    ];
    let namespace = prop_oneof![Just("/".to_owned()), "/[a-zé]{1,8}"];
    let attachments = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..4);
    (namespace, content, attachments).prop_map(|(namespace, mut content, attachments)| {
        let mut attachments: Vec<Bytes> = attachments.into_iter().map(Bytes::from).collect();
        match &mut content {
            Content::Event { args, .. } | Content::Ack { args, .. } => {
                args.extend((0..attachments.len()).map(|num| json!({ "_placeholder": true, "num": num })))
            }
            _ => attachments.clear(),
        }
        SocketPacket { namespace, content, attachments }
    })
}

/// The text that follows the Engine.IO packet type, and the attachments.
fn messages(packet: &SocketPacket) -> (String, Vec<Bytes>) {
    let text = super::packet(packet);
    (text.strip_prefix('4').unwrap().to_owned(), packet.attachments.clone())
}

fn decode(text: &str, attachments: &[Bytes]) -> Result<Option<SocketPacket>, DecodeError> {
    let mut decoder = Decoder::default();
    let mut decoded = decoder.decode(Message::Text(text.into()))?;
    for data in attachments {
        decoded = decoder.decode(Message::Binary(data.clone()))?;
    }
    Ok(decoded)
}

/// The text as the other implementation reads it: namespace, acknowledgement, and the JSON.
fn by_the_oracle(text: &str) -> Option<(String, Option<i64>, Option<Value>)> {
    let (config, state) = (ParseConfig::default(), ParserState::default());
    let packet = CommonParser.decode_str(&config, &state, text.to_owned().into()).ok()?;
    let (data, ack) = match packet.inner {
        PacketData::Connect(data) => (data, None),
        PacketData::Disconnect => (None, None),
        PacketData::Event(data, ack) => (Some(data), ack),
        PacketData::EventAck(data, ack) => (Some(data), Some(ack)),
        _ => return None,
    };
    let data = data.and_then(|data| serde_json::from_str(data.as_str()?.as_str()).ok());
    Some((packet.ns.to_string(), ack, data))
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(packet in packet()) {
        let (text, attachments) = messages(&packet);
        prop_assert_eq!(decode(&text, &attachments), Ok(Some(packet)));
    }

    #[test]
    fn another_implementation_reads_our_packets(packet in packet()) {
        prop_assume!(packet.attachments.is_empty());
        let (text, _) = messages(&packet);
        let (namespace, ack, data) = by_the_oracle(&text).expect("the oracle reads it");
        prop_assert_eq!(&namespace, &packet.namespace);
        let expected = match packet.content {
            Content::Connect { auth } => (None, auth.map(Value::Object)),
            Content::Event { name, args, ack } => {
                let values: Vec<Value> = std::iter::once(Value::from(name)).chain(args).collect();
                (ack, Some(values.into()))
            }
            Content::Ack { id, args } => (Some(id), Some(args.into())),
            Content::Disconnect | Content::ConnectError { .. } => (None, None),
        };
        prop_assert_eq!((ack.and_then(|ack| u64::try_from(ack).ok()), data), expected);
    }

    #[test]
    fn a_text_that_we_accept_the_other_implementation_accepts_alike(
        text in r#"[0-6][0-9]{0,2}-?(/[a-z]{0,3},?)?[0-9]{0,3}(\[("a"|1|null)?(,1)?\]|\{\})?"#
    ) {
        if let Ok(header) = Header::decode(&text)
            && header.attachments == 0
            && !matches!(header.packet.content, Content::ConnectError { .. })
            && !text.starts_with(['5', '6'])
        {
            let (namespace, ..) = by_the_oracle(&text).expect("the oracle takes it too");
            prop_assert_eq!(namespace, header.packet.namespace);
        }
    }

    #[test]
    fn nothing_makes_the_decoder_panic(text in ".{0,64}", data in prop::collection::vec(any::<u8>(), 0..16)) {
        let _ = decode(&text, &[data.into()]);
    }

    #[test]
    fn a_connection_takes_packets_in_any_order(packets in prop::collection::vec(packet(), 0..12)) {
        let mut connection = Namespaces::default();
        let mut joined = std::collections::BTreeSet::new();
        for packet in packets {
            let namespace = packet.namespace.clone();
            let was_in = joined.contains(&namespace);
            match connection.receive(packet) {
                Action::Join { namespace, .. } => {
                    prop_assert!(!was_in);
                    connection.joined(&namespace);
                    joined.insert(namespace);
                }
                Action::Leave { namespace } => prop_assert!(joined.remove(&namespace)),
                Action::Event { .. } | Action::Nothing => prop_assert!(was_in),
                Action::Violation => break,
            }
        }
    }
}
