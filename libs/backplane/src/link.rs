use tokio::sync::watch;
use tokio::time::Instant;

/// The state of the backplane. It is up if announcements are received and an append would succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Up,
    /// `reason` is one of a few fixed texts that are safe to show to clients and in metrics.
    Lost {
        since: Instant,
        reason: &'static str,
    },
}

impl Link {
    /// Whether announcements are received and appends succeed right now.
    pub fn is_up(self) -> bool {
        self == Self::Up
    }
}

/// Creates the link of drivers that are not connected yet.
pub(crate) fn new_link() -> (watch::Sender<Link>, watch::Receiver<Link>) {
    watch::channel(Link::Lost { since: Instant::now(), reason: "not connected yet" })
}
