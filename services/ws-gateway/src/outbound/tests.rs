use std::task::Waker;

use super::*;

/// What a WebSocket writes that takes up to `room` bytes.
fn write(outbound: &Outbound, ticket: u32, mut room: usize) -> (Vec<Vec<u8>>, Written) {
    let mut writes = Vec::new();
    let cx = Context::from_waker(Waker::noop());
    let written = outbound.write_queued(ticket, &cx, |pieces| {
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).take(room).collect();
        room -= bytes.len();
        writes.push(bytes);
        Ok(writes.last().map_or(0, Vec::len))
    });
    (writes, written.unwrap())
}

fn wire(outbound: &Outbound, ticket: u32) -> (Vec<u8>, Written) {
    let (writes, written) = write(outbound, ticket, usize::MAX);
    (writes.concat(), written)
}

fn payload(outbound: &Outbound) -> Poll<Option<Bytes>> {
    outbound.poll_payload(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn frames_are_written_without_a_copy() {
    let outbound = Outbound::web_socket(1_000);
    let frame = Frame::text("4hello");
    outbound.push(frame.clone());
    let cx = Context::from_waker(Waker::noop());
    let written = outbound.write_queued(0, &cx, |pieces| {
        assert_eq!(pieces[0].as_ptr(), frame.wire().as_ptr());
        Ok(pieces[0].len())
    });
    assert_eq!(written.unwrap(), Written::All);
}

#[test]
fn all_that_is_queued_is_one_write() {
    let outbound = Outbound::web_socket(10_000);
    for _ in 0..500 {
        outbound.push(Frame::text("a"));
    }
    let (writes, written) = write(&outbound, 0, usize::MAX);
    assert_eq!((writes, written), (vec![b"\x81\x01a".repeat(500)], Written::All));
    assert_eq!(wire(&outbound, 0), (vec![], Written::All));
}

#[test]
fn what_the_kernel_does_not_take_is_written_later() {
    let outbound = Outbound::web_socket(1_000);
    for text in ["ab", "cd", "ef"] {
        outbound.push(Frame::text(text));
    }
    assert_eq!(write(&outbound, 0, 6), (vec![b"\x81\x02ab\x81\x02".to_vec()], Written::Blocked));
    assert_eq!(wire(&outbound, 0), (b"cd\x81\x02ef".to_vec(), Written::All));
}

#[test]
fn a_frame_that_was_begun_is_written_to_its_end() {
    let outbound = Outbound::web_socket(1_000);
    for text in ["ab", "cd"] {
        outbound.push(Frame::text(text));
    }
    assert_eq!(write(&outbound, 0, 3).1, Written::Blocked);
    outbound.finish_at_once([Frame::text("z")]);
    assert_eq!(wire(&outbound, 0), (b"b\x81\x01z".to_vec(), Written::Ended));
}

#[test]
fn a_full_queue_takes_nothing_more() {
    let outbound = Outbound::web_socket(10);
    assert_eq!(outbound.push(Frame::text("12345")), Pushed::Queued);
    assert_eq!(outbound.push(Frame::text("12345")), Pushed::Full);
    outbound.finish_at_once([Frame::text("z")]);
    assert_eq!(wire(&outbound, 0), (b"\x81\x01z".to_vec(), Written::Ended));
    assert_eq!(outbound.push(Frame::text("more")), Pushed::Closed);
}

#[test]
fn a_web_socket_begins_with_the_head_of_its_answer() {
    let outbound = Outbound::web_socket(1_000);
    outbound.push(Frame::text("0{}"));
    outbound.begin(0, Bytes::from_static(b"HTTP"));
    assert_eq!(wire(&outbound, 0), (b"HTTP\x81\x030{}".to_vec(), Written::All));
}

#[test]
fn polling_joins_packets_and_encodes_binary() {
    let outbound = Outbound::polling(1_000);
    assert_eq!(payload(&outbound), Poll::Pending);
    outbound.push(Frame::text("4a"));
    outbound.push(Frame::ping());
    outbound.push(Frame::binary(Bytes::from_static(&[1, 2, 3])));
    assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a\x1ebAQID"))));
}

#[test]
fn an_upgrade_moves_the_queue_to_the_web_socket() {
    let outbound = Outbound::polling(1_000);
    let ticket = outbound.open_web_socket();
    outbound.push(Frame::text("4a"));
    assert_eq!(wire(&outbound, ticket), (vec![], Written::All));
    outbound.answer_probe(Frame::text("3probe"));
    assert_eq!(wire(&outbound, ticket), (b"\x81\x063probe".to_vec(), Written::All));
    assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a"))));
    assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"6"))));
    outbound.push(Frame::text("4b"));
    outbound.upgrade();
    assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"6"))));
    assert_eq!(wire(&outbound, ticket), (b"\x81\x024b".to_vec(), Written::All));
}

#[test]
fn a_web_socket_that_was_given_up_gets_nothing() {
    let outbound = Outbound::polling(1_000);
    let ticket = outbound.open_web_socket();
    outbound.abandon_probe();
    assert_eq!(wire(&outbound, ticket), (vec![], Written::Ended));
    outbound.push(Frame::text("4a"));
    assert_eq!(payload(&outbound), Poll::Ready(Some(Bytes::from_static(b"4a"))));
}
