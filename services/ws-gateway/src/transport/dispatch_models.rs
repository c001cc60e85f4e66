//! Models of dispatch: the relay and the hub's own thread deliver, while sockets enter, fall behind, catch up, resume
//! and close.

use std::sync::Arc;

use smallvec::smallvec;
use testing::interleavings::{JoinHandle, block_on, random};

use super::execute::{execute, execute_now};
use super::model_world::{EVENTS, check_world, seqs};
use crate::client::{Effect, Reply, ResumeFrom, Resumption};
use crate::hub::Subscriber;
use crate::protocol::{Ending, NamespaceKind};

/// Room for the first packet, or for a few events.
const STOCK_QUEUE: usize = 180;
/// Room for a few events, which are longer on `/ws`.
const PLAIN_QUEUE: usize = 480;

fn join<const N: usize>(threads: [JoinHandle<()>; N]) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Checks that a socket received the events after it entered, each once and in order. If its connection was closed,
/// the last ones may be missing.
fn check_socket(received: &[u64], begun: u64, was_closed: bool) {
    let expected: Vec<_> = (begun + 1..=EVENTS).collect();
    let is_right = if was_closed { expected.starts_with(received) } else { received == expected };
    assert!(is_right, "{received:?} instead of {expected:?}");
}

#[test]
fn each_socket_receives_every_event_after_it_entered_once_in_order_also_if_it_falls_behind() {
    check_world("hub dispatch", 400, STOCK_QUEUE, |world| {
        let relay = world.relay();
        let (slow, closing) = (world.stock(), world.stock());
        let entering = slow.enter(&[NamespaceKind::Root, NamespaceKind::Dashboard]);
        let entering_meanwhile = closing.enter(&[NamespaceKind::Root]);
        Arc::clone(&closing.connection).close(Ending::Slow);
        join(relay);
        let (sockets, of_closing) = (entering.join().unwrap(), entering_meanwhile.join().unwrap());
        sockets.iter().for_each(|(kind, begun)| slow.wait_for(*kind, EVENTS - begun));
        for (client, sockets) in [(slow, sockets), (closing, of_closing)] {
            let (was_closed, messages) = client.close();
            for (kind, begun) in sockets {
                check_socket(&seqs(&messages, kind), begun, was_closed);
            }
        }
    });
}

#[test]
fn a_client_that_resumes_receives_what_it_missed_and_every_newer_event_once() {
    check_world("resume during dispatch", 400, PLAIN_QUEUE, |world| {
        let (relay, client, kind) = (world.relay(), world.plain(), NamespaceKind::Plain);
        let (connection, after) = (&client.connection, world.at(0));
        // A client that resumes late is live already, or has begun to be.
        let (is_live, is_late) = (random(2) == 0, random(2) == 0);
        let (socket, begun) = world.enter(connection, kind, is_live).unwrap();
        if is_live {
            client.wait_for(kind, random(3).min((EVENTS - begun.seq) as usize) as u64);
        } else if is_late {
            let live = Resumption::Live { kind, socket: Arc::clone(&socket), from: begun };
            execute_now(connection, smallvec![Effect::Resume(live.into())]);
        }
        let from = ResumeFrom { after, replaced: None, rooms: Vec::new() };
        let missed = Resumption::Missed { socket, from, reply: Reply::None };
        block_on(execute(connection, smallvec![Effect::Resume(missed.into())]));
        join(relay);
        client.wait_for(kind, EVENTS);
        let (was_closed, messages) = client.close();
        let mut received = seqs(&messages, kind);
        let count = received.len();
        received.sort_unstable();
        received.dedup();
        assert_eq!(received.len(), count, "an event came twice");
        assert!(was_closed || received.len() as u64 == EVENTS, "{received:?}");
    });
}
