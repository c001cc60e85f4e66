use std::sync::LazyLock;

use bytes::Bytes;
use bytestring::ByteString;

use crate::protocol::Frame;

/// The content of a session: the layer above reads nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Text(ByteString),
    Binary(Bytes),
}

/// A packet of Engine.IO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// The handshake, from the server only: a JSON object.
    Open(ByteString),
    Close,
    /// From the server; from the client only as `probe`, on a transport it wants to move to.
    Ping(ByteString),
    Pong(ByteString),
    Message(Message),
    Upgrade,
    Noop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PacketError {
    #[error("an empty packet")]
    Empty,
    #[error("an unknown packet type")]
    UnknownType,
    #[error("the data is not base64")]
    NotBase64,
    #[error("the payload is not UTF-8")]
    NotUtf8,
}

impl Packet {
    /// Reads the text form: a digit and data. The data shares the memory of `text`.
    pub(crate) fn decode(text: &ByteString) -> Result<Self, PacketError> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(PacketError::Empty)?;
        let data = text.slice_ref(chars.as_str());
        match kind {
            '0' => Ok(Self::Open(data)),
            '1' => Ok(Self::Close),
            '2' => Ok(Self::Ping(data)),
            '3' => Ok(Self::Pong(data)),
            '4' => Ok(Self::Message(Message::Text(data))),
            '5' => Ok(Self::Upgrade),
            '6' => Ok(Self::Noop),
            _ => Err(PacketError::UnknownType),
        }
    }

    /// Encodes the packet for either transport.
    pub(crate) fn frame(&self) -> Frame {
        match self {
            Self::Open(data) => Frame::text(format!("0{data}")),
            Self::Close => Frame::text("1"),
            Self::Ping(data) => Frame::text(format!("2{data}")),
            Self::Pong(data) => Frame::text(format!("3{data}")),
            Self::Message(Message::Text(data)) => Frame::text(format!("4{data}")),
            Self::Message(Message::Binary(data)) => Frame::binary(data.clone()),
            Self::Upgrade => Frame::text("5"),
            Self::Noop => Frame::text("6"),
        }
    }
}

/// The heartbeat's ping, encoded once for all connections.
pub(crate) fn ping_frame() -> Frame {
    static PING: LazyLock<Frame> = LazyLock::new(|| Packet::Ping("".into()).frame());
    PING.clone()
}
