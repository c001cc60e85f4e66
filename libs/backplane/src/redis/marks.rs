//! The marks as a sorted set.

use async_trait::async_trait;

use super::{MARK, Redis};
use crate::{Mark, Marks, Result};

impl Redis {
    /// Returns the remaining life of a mark in whole seconds. Marks are sent as durations, because Redis has
    /// its own clock.
    pub(super) fn seconds_to_live(&self, mark: &Mark) -> i64 {
        (mark.expires_at - self.clock.now()).num_seconds().max(0) + 1
    }

    async fn live_in(&self, key: &str) -> Result<Vec<String>> {
        let mut read = redis::pipe();
        read.cmd("TIME");
        read.cmd("ZRANGE").arg(key).arg(0).arg(-1).arg("WITHSCORES");
        let ((now, _), marks): ((i64, i64), Vec<(String, f64)>) = self.run_pipeline(read).await?;
        let live = marks.into_iter().filter(|(_, expires_at)| *expires_at > now as f64);
        Ok(live.map(|(value, _)| value).collect())
    }
}

#[async_trait]
impl Marks for Redis {
    async fn add(&self, marks: &[Mark]) -> Result<()> {
        let mut call = MARK.key(&self.names.marks);
        call.arg(&self.names.marks_changed);
        for mark in marks {
            call.arg(&mark.value).arg(self.seconds_to_live(mark));
        }
        self.exchange(|mut connection| async move { call.invoke_async::<()>(&mut connection).await }).await
    }

    async fn live(&self) -> Result<Vec<String>> {
        let mut live = self.live_in(&self.names.marks).await?;
        if let Some(old) = &self.names.old_marks {
            live.extend(self.live_in(old).await?);
        }
        Ok(live)
    }
}
