//! Models of the queue of a connection: threads that push and threads that write, in many interleavings.

use testing::interleavings::{JoinHandle, block_on, check, random, spawn};

use super::*;
use crate::outbound::slow_stream::SlowStream;

/// Room for three of the frames.
const LIMIT: usize = 16;
/// Room for two of the frames.
const ROOM: usize = 12;

/// A thread that pushes frames. Returns the texts of the frames that were queued.
type Pusher = JoinHandle<Vec<String>>;

fn open(outbound: &Arc<Outbound>, ticket: u32) -> (Arc<SlowStream>, JoinHandle<()>) {
    SlowStream::open(outbound, |outbound| outbound, ticket, ROOM)
}

fn text(pusher: usize, number: usize) -> String {
    format!("{pusher}{number}{}", ".".repeat(random(2)))
}

/// Pushes as the tasks of a connection do, or as the hub does.
fn push(outbound: &Outbound, text: &str) -> Pushed {
    if random(2) == 0 {
        return outbound.push(Frame::text(text.to_owned()));
    }
    let pushed = outbound.queue(Frame::text(text.to_owned()), Instant::now());
    if pushed == Pushed::First {
        if random(2) == 0 { outbound.write_now() } else { outbound.wake() }
    }
    pushed
}

fn pusher(outbound: &Arc<Outbound>, name: usize, count: usize) -> Pusher {
    pushes(outbound, name, count, push)
}

/// A task that delivers missed events.
fn pusher_in_turn(outbound: &Arc<Outbound>, name: usize, count: usize) -> Pusher {
    pushes(outbound, name, count, |outbound, text| {
        block_on(outbound.push_in_turn(Frame::text(text.to_owned())))
    })
}

fn pushes(
    outbound: &Arc<Outbound>,
    name: usize,
    count: usize,
    push: impl Fn(&Outbound, &str) -> Pushed + Send + 'static,
) -> Pusher {
    let outbound = Arc::clone(outbound);
    spawn(move || {
        let mut texts: Vec<_> = (0..count).map(|number| text(name, number)).collect();
        texts.retain(|text| {
            let pushed = push(&outbound, text);
            let queue = outbound.lock();
            assert!(queue.closing || queue.bytes <= outbound.limit, "more than the limit");
            matches!(pushed, Pushed::First | Pushed::Queued)
        });
        texts
    })
}

fn join(pushers: impl IntoIterator<Item = Pusher>) -> Vec<Vec<String>> {
    pushers.into_iter().map(|pusher| pusher.join().unwrap()).collect()
}

fn size(queued: &[Vec<String>]) -> usize {
    queued.iter().flatten().map(|text| text.len() + 2).sum()
}

/// The texts of one pusher, in the order of their arrival.
fn of(pusher: usize, arrived: &[String]) -> Vec<String> {
    arrived.iter().filter(|text| text.starts_with(&pusher.to_string())).cloned().collect()
}

fn assert_complete(queued: &[Vec<String>], arrived: &[String]) {
    for (pusher, texts) in queued.iter().enumerate() {
        assert_eq!(of(pusher, arrived), *texts);
    }
    assert_eq!(arrived.len(), queued.iter().flatten().count());
}

fn assert_over(outbound: &Outbound) {
    assert_eq!(push(outbound, "late"), Pushed::Closed);
    outbound.write_now();
}

fn last() -> [Frame; 1] {
    [Frame::normal_close()]
}

#[test]
fn all_frames_that_several_threads_push_and_write_arrive_once_in_order_and_without_an_outside_kick() {
    check("outbound queue", 1_000, || {
        let outbound = Arc::new(Outbound::web_socket(LIMIT));
        let (wire, serving) = open(&outbound, 0);
        let pushers = [0, 1].map(|name| pusher(&outbound, name, 3));
        let in_turn = [2, 3].map(|name| pusher_in_turn(&outbound, name, 2));
        let queued = join(pushers.into_iter().chain(in_turn));
        wire.wait_for(size(&queued));
        outbound.finish(last());
        serving.join().unwrap();
        assert_over(&outbound);
        let mut arrived = wire.texts();
        assert_eq!(arrived.pop().as_deref(), Some("close"));
        assert_complete(&queued, &arrived);
    });
}

#[test]
fn a_queue_that_is_discarded_while_threads_push_and_write_loses_only_its_end() {
    check("outbound queue that is discarded", 1_000, || {
        let outbound = Arc::new(Outbound::web_socket(LIMIT));
        let (wire, serving) = open(&outbound, 0);
        let pushers = [pusher(&outbound, 0, 3), pusher_in_turn(&outbound, 1, 3)];
        let discarded = outbound.finish_at_once(last());
        let queued = join(pushers);
        serving.join().unwrap();
        assert_over(&outbound);
        let mut arrived = wire.texts();
        assert_eq!(arrived.pop().as_deref(), Some("close"));
        for (pusher, texts) in queued.iter().enumerate() {
            assert!(texts.starts_with(&of(pusher, &arrived)), "{arrived:?} of {queued:?}");
        }
        assert_eq!(arrived.len() + discarded as usize, queued.iter().flatten().count());
    });
}

/// Polls until `is_last`. Returns the texts.
fn poll(outbound: &Outbound, is_last: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut texts = Vec::new();
    while !is_last(&texts) {
        let payload = block_on(poll_fn(|cx| outbound.poll_payload(cx))).unwrap();
        texts.extend(str::from_utf8(&payload).unwrap().split('\x1e').map(String::from));
    }
    texts
}

/// Polls for a frame, if one is left, and then probes a WebSocket while a GET waits. Returns the texts that polling
/// brought.
fn probe(outbound: &Arc<Outbound>, left: usize) -> Vec<String> {
    let some = left.min(random(2));
    let mut texts = poll(outbound, |texts| texts.len() >= some);
    let polling = spawn({
        let outbound = Arc::clone(outbound);
        move || poll(&outbound, |texts| texts.last().is_some_and(|text| text == "6"))
    });
    outbound.answer_probe(Frame::text("3probe"));
    texts.append(&mut polling.join().unwrap());
    texts.pop();
    texts
}

#[test]
fn frames_move_from_polling_to_the_web_socket_and_none_to_one_that_was_abandoned() {
    const FRAMES: usize = 6;
    check("upgrade to a WebSocket", 1_000, || {
        let outbound = Arc::new(Outbound::polling(1_000));
        let pushers = [0, 1].map(|name| pusher(&outbound, name, FRAMES / 2));
        let (mut arrived, mut abandoned) = (Vec::new(), Vec::new());
        let upgraded = (0..1 + random(2)).find_map(|_| {
            let (wire, serving) = open(&outbound, outbound.open_web_socket());
            arrived.append(&mut probe(&outbound, FRAMES - arrived.len()));
            if random(2) == 0 {
                wire.wait_for("3probe".len() + 2);
            }
            if random(2) == 0 {
                outbound.upgrade();
                return Some((wire, serving, pusher(&outbound, 2, FRAMES / 2)));
            }
            outbound.abandon_probe();
            abandoned.push((wire, serving));
            None
        });
        let left = FRAMES - arrived.len();
        if upgraded.is_none() {
            arrived.append(&mut poll(&outbound, |texts| texts.len() == left));
        }
        let mut queued = join(pushers);
        if let Some((wire, serving, pusher)) = upgraded {
            queued.push(pusher.join().unwrap());
            wire.wait_for("3probe".len() + 2 + size(&queued) - size(&[arrived.clone()]));
            outbound.finish(last());
            serving.join().unwrap();
            let mut texts = wire.texts();
            assert_eq!((texts.remove(0).as_str(), texts.pop().as_deref()), ("3probe", Some("close")));
            arrived.append(&mut texts);
        }
        outbound.finish(last());
        for (wire, serving) in abandoned {
            serving.join().unwrap();
            assert!(wire.has_only("3probe"));
        }
        assert_over(&outbound);
        assert_complete(&queued, &arrived);
    });
}
