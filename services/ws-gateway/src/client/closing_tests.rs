use contracts::events::auth::EndReason;
use strum::EnumCount;

use super::closing::{Afterwards, Backlog, Carrier, Farewell, LastFrame, LastNotice};
use crate::protocol::Ending;

fn described(farewell: Farewell) -> String {
    let notice = match farewell.notice {
        LastNotice::None => "",
        LastNotice::Revoked(EndReason::Logout) => "revoked, ",
        LastNotice::Revoked(_) => "wrong reason, ",
        LastNotice::Draining => "draining, ",
    };
    let backlog = match farewell.backlog {
        Backlog::Deliver => "deliver",
        Backlog::Discard => "discard",
    };
    let last = match farewell.last {
        LastFrame::None => "",
        LastFrame::Noop => " + noop",
        LastFrame::ClosePacket => " + close packet",
        LastFrame::CloseFrame => " + close frame",
        LastFrame::Confirmation => " + confirmation",
    };
    let afterwards = match farewell.afterwards {
        Afterwards::Remove => "remove".into(),
        Afterwards::Linger(time) => format!("linger {time:?}"),
        Afterwards::AwaitClose(time) => format!("await close {time:?}"),
    };
    format!("{notice}{backlog}{last}, {afterwards}")
}

#[test]
fn every_ending_has_its_farewell_on_every_transport() {
    let linger = "deliver + close packet, linger 30s";
    let close = "deliver + close frame, remove";
    let (lost, confirm) = ("discard, remove", "discard + confirmation, remove");
    let lost_polling = "discard + close packet, remove";
    let slow = "discard + close frame, remove";
    let table = [
        (Ending::Left, ["discard + noop, remove", confirm, confirm]),
        (Ending::Lost, [lost_polling, lost, lost]),
        (Ending::Silent, [lost_polling, lost, lost]),
        (Ending::BadMessage, ["deliver + close packet, remove", close, close]),
        (Ending::Unauthorized, [linger, close, close]),
        (Ending::Expired, [linger, close, close]),
        (
            Ending::Revoked(EndReason::Logout),
            [
                "revoked, deliver, linger 30s",
                "revoked, deliver, await close 50ms",
                "revoked, deliver + close frame, remove",
            ],
        ),
        (Ending::HandshakeTimeout, [linger, close, close]),
        (Ending::TakenOver, [linger, close, close]),
        (Ending::TooLarge, [linger, close, close]),
        (Ending::RateLimited, [linger, close, close]),
        (Ending::Slow, ["discard, linger 30s", slow, slow]),
        (
            Ending::Draining,
            [
                "draining, deliver + close packet, linger 30s",
                "draining, deliver + close frame, remove",
                "draining, deliver + close frame, remove",
            ],
        ),
        (Ending::Unavailable, [linger, close, close]),
    ];
    assert_eq!(table.len(), Ending::COUNT);
    for (ending, row) in table {
        for (carrier, expected) in [Carrier::Polling, Carrier::WebSocket, Carrier::Plain].into_iter().zip(row)
        {
            let farewell = described(Farewell::of(ending, carrier, true));
            assert_eq!(farewell, expected, "{ending:?} on {carrier:?}");
            let stranger = described(Farewell::of(ending, carrier, false));
            assert_eq!(stranger, expected.replace("linger 30s", "remove"), "{ending:?} on {carrier:?}");
        }
    }
}
