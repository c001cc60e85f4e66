use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The writes of a WebSocket that takes up to `room` bytes.
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
    assert_eq!(outbound.push(Frame::text("12345")), Pushed::First);
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

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Both ends of a TCP connection, the first one ready to be written to.
async fn connection() -> (Arc<TcpStream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    ours.writable().await.unwrap();
    (Arc::new(ours), listener.accept().await.unwrap().0)
}

fn stream(stream: &Arc<TcpStream>) -> Arc<dyn Stream> {
    Arc::<TcpStream>::clone(stream)
}

/// Returns the counter of wakes of a WebSocket task that has written everything.
fn idle(outbound: &Outbound) -> Arc<Wakes> {
    let wakes = Arc::<Wakes>::default();
    let waker = Waker::from(Arc::clone(&wakes));
    let written = outbound.write_queued(0, &Context::from_waker(&waker), |_| Ok(usize::MAX));
    assert_eq!(written.unwrap(), Written::All);
    wakes
}

#[tokio::test]
async fn an_idle_web_socket_is_written_to_without_waking_it() {
    let (ours, mut theirs) = connection().await;
    let outbound = Outbound::web_socket(1_000);
    outbound.set_stream(0, Some(stream(&ours)));
    let wakes = idle(&outbound);
    let pushed = ["a", "b"].map(|text| outbound.queue(Frame::text(text), Instant::now()));
    assert_eq!(pushed, [Pushed::First, Pushed::Queued]);
    outbound.write_now();
    outbound.write_now();
    let mut read = [0; 6];
    theirs.read_exact(&mut read).await.unwrap();
    assert_eq!((&read, wakes.0.load(Ordering::Relaxed)), (b"\x81\x01a\x81\x01b", 0));
}

#[tokio::test]
async fn the_task_of_a_web_socket_goes_on_where_the_kernel_is_full() {
    let (ours, mut theirs) = connection().await;
    let outbound = Outbound::web_socket(64 << 20);
    outbound.set_stream(0, Some(stream(&ours)));
    let wakes = idle(&outbound);
    let sent = "x".repeat(32 << 20);
    outbound.queue(Frame::text(sent.clone()), Instant::now());
    outbound.write_now();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    outbound.queue(Frame::text("end"), Instant::now());
    outbound.finish([]);
    let write = async {
        while outbound
            .write_queued(0, &Context::from_waker(Waker::noop()), |pieces| ours.try_write_vectored(pieces))
            .unwrap()
            != Written::Ended
        {
            ours.writable().await.unwrap();
        }
        outbound.set_stream(0, None);
        drop(ours);
    };
    let mut read = Vec::new();
    let ((), _) = tokio::join!(write, theirs.read_to_end(&mut read));
    assert_eq!(read.len(), sent.len() + 10 + 5);
    assert!(read.ends_with(b"x\x81\x03end"));
}

#[tokio::test]
async fn nobody_writes_on_a_stream_that_is_not_the_takers() {
    let (ours, theirs) = connection().await;
    let outbound = Outbound::polling(1_000);
    let ticket = outbound.open_web_socket();
    outbound.set_stream(ticket, Some(stream(&ours)));
    outbound.queue(Frame::text("4a"), Instant::now());
    outbound.write_now();
    outbound.set_stream(0, None);
    outbound.abandon_probe();
    outbound.set_stream(ticket, Some(stream(&ours)));
    outbound.upgrade();
    outbound.write_now();
    assert_eq!(theirs.try_read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(Arc::strong_count(&ours), 1);
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

#[test]
fn a_full_queue_has_room_for_responses_and_not_for_everything() {
    let outbound = Outbound::web_socket(800);
    assert_eq!(outbound.push(Frame::text("x".repeat(780))), Pushed::First);
    let event = Frame::text("y".repeat(60));
    assert_eq!(outbound.push(event.clone()), Pushed::Full);
    assert_eq!(outbound.push_response(event.clone()), Pushed::Queued);
    assert_eq!(outbound.push_response(event), Pushed::Full);
}
