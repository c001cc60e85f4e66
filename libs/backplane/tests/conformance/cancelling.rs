//! Readers may give up waiting for the next item at any time.

use std::time::Duration;

use backplane::{Feed, FeedItem};
use futures_util::FutureExt;
use rstest::rstest;
use testing::{Backend, LIMIT};

use super::{World, begun, mark, name};

/// Returns the next item. Cancels every call of `next` that has to wait.
async fn next_of_the_impatient(feed: &mut Feed) -> FeedItem {
    let patient = async {
        loop {
            match feed.next().now_or_never() {
                Some(item) => return item,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(LIMIT, patient).await.unwrap()
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_feed_whose_next_is_always_cancelled_delivers_everything_once(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = world.backplane.feed();
    assert!(matches!(next_of_the_impatient(&mut feed).await, FeedItem::Reset { .. }));
    // More than one page of the log, so that the feed reads it while it is cancelled.
    let names = (0..1_200).map(|n| n.to_string()).collect::<Vec<_>>();
    let publish = async {
        for chunk in names.chunks(100) {
            world.append(&chunk.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        world.backplane.marks.add(&[mark("last", &world.clock, 60)]).await.unwrap();
    };
    let hear = async {
        let mut heard = Vec::new();
        loop {
            match next_of_the_impatient(&mut feed).await {
                FeedItem::Message(message) => heard.push(name(&message)),
                FeedItem::MarksChanged => return heard,
                other => panic!("{other:?}"),
            }
        }
    };
    let ((), heard) = tokio::join!(publish, hear);
    assert_eq!(heard, names);
    // Nothing is left over.
    assert!(tokio::time::timeout(Duration::from_millis(50), feed.next()).await.is_err());
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_feed_has_more_once_an_event_has_arrived(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    world.append(&["waiting"]).await;
    testing::eventually("the event to be there", async || feed.has_more()).await;
    assert!(matches!(next_of_the_impatient(&mut feed).await, FeedItem::Message(_)));
    assert!(!feed.has_more());
}
