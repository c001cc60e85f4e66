use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;
use backplane::Position;
use contracts::events::auth::EndReason;
use tokio::time::Instant;

use super::closing::{Closing, Departure};
use super::effects::{Candidate, Effect, Effects, Resumption, UpgradeStep};
use super::{ClientState, RequestAction, Timing};
use crate::protocol::engineio::{Lane, Message, Packet, Transport};
use crate::protocol::{Ending, NamespaceKind, Refusal, RefusalCode};

const TIMING: Timing = Timing {
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(20),
    handshake: Duration::from_secs(5),
};
const SECOND: Duration = Duration::from_secs(1);

fn named(effects: &Effects) -> Vec<String> {
    let name = |effect: &Effect| match effect {
        Effect::Send(frame) => format!("send {}", String::from_utf8_lossy(frame.payload())),
        Effect::Upgrade(step) => format!("{step:?}"),
        Effect::Admit(candidate) => match &**candidate {
            Candidate::Socket { kind, .. } => format!("admit {kind:?}"),
            Candidate::Message(request) => format!("admit {}", request.name),
            Candidate::Token { .. } => "admit token".into(),
        },
        Effect::Join(_) | Effect::LeaveRoom(_) => "room".into(),
        Effect::Leave(Departure { socket, may_return, .. }) => format!("leave {socket} {may_return}"),
        Effect::Resume(resumption) => match &**resumption {
            Resumption::Live { socket, from, .. } => format!("live {socket} {from}"),
            Resumption::Missed { .. } => "missed".into(),
        },
        Effect::Arm(_) => "arm".into(),
        Effect::Close(Closing::Begin(parting)) => format!("close {:?}", parting.ending),
        Effect::Close(Closing::Confirm) => "confirm".into(),
        Effect::Close(Closing::Finish(ending)) => format!("finish {ending:?}"),
    };
    effects.iter().map(name).collect()
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn web_socket(now: Instant) -> ClientState {
    let mut client = ClientState::socket_io(&TIMING, Transport::WebSocket, now);
    assert_eq!(named(&client.start()), ["arm"]);
    client
}

/// A Socket.IO client with a socket in each namespace.
fn in_both_namespaces(now: Instant) -> ClientState {
    let mut client = web_socket(now);
    let both = [("40", NamespaceKind::Root, "a"), ("40/dashboard,", NamespaceKind::Dashboard, "b")];
    for (connect, kind, socket) in both {
        assert_eq!(named(&client.on_message(now, text(connect))), [format!("admit {kind:?}")]);
        assert!(client.on_admitted(now, kind, &socket.into(), None).unwrap().is_empty());
    }
    client
}

fn plain(now: Instant, may_resume: bool) -> ClientState {
    let mut client = ClientState::plain(&TIMING, now);
    client.start();
    let from = may_resume.then(|| Position { epoch: "e".into(), seq: 7 });
    client.on_admitted(now, NamespaceKind::Plain, &Arc::from("p"), from).unwrap();
    client
}

#[test]
fn a_heartbeat_allocates_nothing() {
    let start = Instant::now();
    for mut client in [in_both_namespaces(start), plain(start, false)] {
        let mut now = start;
        let mut beat = || {
            now += TIMING.ping_interval;
            let pinged = client.on_timer(now, false);
            let is_plain = client.is_plain();
            let ponged = if is_plain {
                client.on_web_socket_pong(now)
            } else {
                client.on_packet(now, Lane::WebSocket, Packet::Pong("".into()))
            };
            assert!(matches!(&pinged[..], [Effect::Send(_), Effect::Arm(_)]) && ponged.is_empty());
            // The armed timer fires at the deadline of the pong, and finds the next ping.
            now += TIMING.ping_timeout;
            assert!(matches!(&client.on_timer(now, false)[..], [Effect::Arm(_)]));
            now -= TIMING.ping_timeout;
        };
        beat();
        assert_eq!(measure(beat).count_total, 0);
    }
}

#[test]
fn a_client_that_does_not_answer_a_ping_is_closed() {
    let mut now = Instant::now();
    let mut client = in_both_namespaces(now);
    now += TIMING.ping_interval;
    assert_eq!(named(&client.on_timer(now, false)), ["send 2", "arm"]);
    assert_eq!(named(&client.on_timer(now + SECOND, false)), [""; 0]);
    assert_eq!(named(&client.on_timer(now + TIMING.ping_timeout, false)), ["close Silent"]);
}

#[test]
fn a_client_without_a_token_is_closed_and_a_stalled_one_too() {
    let now = Instant::now();
    assert_eq!(named(&web_socket(now).on_timer(now + 5 * SECOND, false)), ["close HandshakeTimeout"]);
    let later = now + TIMING.ping_interval;
    assert_eq!(named(&in_both_namespaces(now).on_timer(later, true)), ["close Slow"]);
}

#[test]
fn a_client_of_ws_has_a_moment_to_resume_before_live_events() {
    let now = Instant::now();
    assert_eq!(named(&plain(now, true).on_timer(now + SECOND, false)), ["live p e:7", "arm"]);
    let mut client = plain(now, true);
    assert_eq!(named(&client.on_message(now, text(r#"{"type":"ping"}"#))), ["live p e:7", "admit ping"]);
    let mut client = plain(now, true);
    for is_the_first in [true, false] {
        let effects = client.on_message(now, text(r#"{"type":"resume","epoch":"e","seq":3}"#));
        let [Effect::Admit(candidate)] = &effects[..] else { panic!("{effects:?}") };
        let Candidate::Message(request) = &**candidate else { panic!("{effects:?}") };
        let RequestAction::Resume { is_first, .. } = request.action else { panic!("{effects:?}") };
        assert_eq!(is_first, is_the_first);
    }
    assert!(!named(&client.on_timer(now + SECOND, false)).contains(&"live p e:7".to_owned()));
}

#[test]
fn a_revoked_socket_leaves_and_the_last_one_closes_the_connection() {
    let now = Instant::now();
    let mut client = in_both_namespaces(now);
    assert_eq!(named(&client.on_revoked(now, "unknown", EndReason::Logout)), [""; 0]);
    assert_eq!(named(&client.on_revoked(now, "a", EndReason::Logout)), ["leave a false"]);
    // The namespace is free again.
    assert_eq!(named(&client.on_message(now, text("40"))), ["admit Root"]);
    let closed = client.on_revoked(now, "b", EndReason::Logout);
    assert_eq!(named(&closed), ["close Revoked(Logout)", "arm"]);
}

#[test]
fn a_connection_without_a_socket_has_the_time_of_a_handshake() {
    let start = Instant::now();
    let mut client = in_both_namespaces(start);
    assert_eq!(named(&client.on_timer(start + 5 * SECOND, false)), ["arm"]);
    let now = start + 10 * SECOND;
    assert_eq!(named(&client.on_message(now, text("41"))), ["leave a false"]);
    assert_eq!(named(&client.on_message(now, text("41/dashboard,"))), ["arm", "leave b false"]);
    assert_eq!(named(&client.on_timer(now + 4 * SECOND, false)), [""; 0]);
    assert_eq!(named(&client.on_timer(now + 5 * SECOND, false)), ["close HandshakeTimeout"]);
}

#[test]
fn a_closing_connection_admits_nobody_and_finishes_in_time() {
    let now = Instant::now();
    let mut client = in_both_namespaces(now);
    client.on_revoked(now, "a", EndReason::Logout);
    client.on_revoked(now, "b", EndReason::Logout);
    assert!(client.on_admitted(now, NamespaceKind::Root, &Arc::from("c"), None).is_none());
    assert_eq!(named(&client.on_web_socket_gone(now, Ending::Left)), ["confirm"]);
    assert_eq!(named(&client.on_timer(now + SECOND / 100, false)), [""; 0]);
    assert_eq!(named(&client.on_timer(now + SECOND, false)), ["finish Revoked(Logout)"]);
}

#[test]
fn a_namespace_is_refused_once_and_then_the_connection_closes() {
    let now = Instant::now();
    let refusal = Refusal::new(RefusalCode::MissingToken, "no token");
    let mut client = web_socket(now);
    assert_eq!(named(&client.on_message(now, text("40/nope,"))).len(), 1);
    client.on_message(now, text("40"));
    let refused = named(&client.on_refused(now, NamespaceKind::Root, &refusal));
    assert!(refused[0].starts_with("send 44{") && refused[0].contains("no token"), "{refused:?}");
    client.on_message(now, text("40"));
    let closed = client.on_refused(now, NamespaceKind::Root, &refusal);
    assert_eq!(named(&closed), ["close Unauthorized"]);
    let mut other = web_socket(now);
    other.on_message(now, text("40/nope,"));
    assert_eq!(named(&other.on_message(now, text("40/other,"))), ["close Unauthorized"]);
}

#[test]
fn too_many_hasty_messages_in_a_row_close_the_connection() {
    let mut now = Instant::now();
    let mut client = in_both_namespaces(now);
    for _ in 0..5 {
        assert!(client.on_delayed_message(now).is_empty());
        now += SECOND;
    }
    // A pause resets the count.
    now += 3 * SECOND;
    for _ in 0..5 {
        assert!(client.on_delayed_message(now).is_empty());
    }
    assert_eq!(named(&client.on_delayed_message(now)), ["close RateLimited"]);
}

#[test]
fn a_web_socket_takes_over_or_is_abandoned() {
    let now = Instant::now();
    let polling = || {
        let mut client = ClientState::socket_io(&TIMING, Transport::Polling, now);
        client.start();
        client.on_admitted(now, NamespaceKind::Root, &Arc::from("a"), None).unwrap();
        assert!(client.on_probe(now).is_some() && client.on_probe(now).is_none());
        client
    };
    let mut client = polling();
    assert_eq!(named(&client.on_message(now, text("2probe"))), [format!("{:?}", UpgradeStep::Probed)]);
    assert_eq!(named(&client.on_message(now, text("5"))), [format!("{:?}", UpgradeStep::Complete)]);
    assert!(!client.is_polling());
    let mut client = polling();
    assert_eq!(named(&client.on_message(now, text("4"))), [format!("{:?}", UpgradeStep::Abandon)]);
    assert!(client.is_polling());
    let late = named(&polling().on_timer(now + 10 * SECOND, false));
    assert_eq!(late, [format!("{:?}", UpgradeStep::Abandon), "arm".into()]);
}

#[test]
fn a_namespace_can_be_left_only_once_its_socket_is_in() {
    let now = Instant::now();
    let mut client = web_socket(now);
    client.on_message(now, text("40"));
    assert_eq!(named(&client.on_message(now, text("41"))), ["close BadMessage"]);
    assert!(client.on_admitted(now, NamespaceKind::Root, &Arc::from("a"), None).is_none());
}
