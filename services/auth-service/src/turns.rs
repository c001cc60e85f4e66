//! Turns of users: in this process, one change of a user at a time occupies a database connection.
//!
//! Changes of one user wait for each other in any case, because they lock the user's row. With turns they wait
//! without a connection, so that a user who sends many requests cannot occupy the pool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

/// The longest time that a change waits for its turn, as long as the pool's patience for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Stands in for a user where admins change others: all such changes lock the rows of all admins.
pub const ADMINS: Uuid = Uuid::nil();

/// The turns of all users. Cheap to clone.
#[derive(Clone, Default)]
pub struct Turns {
    waiting: Arc<Mutex<HashMap<Uuid, Weak<tokio::sync::Mutex<()>>>>>,
}

/// The turn of a user, which lasts until this is dropped.
pub struct Turn {
    _lasts: OwnedMutexGuard<()>,
}

impl Turns {
    /// Waits for the turn of a user.
    ///
    /// # Errors
    /// If the turn does not come in time. The error counts as a database without a free connection.
    pub async fn take(&self, user: Uuid) -> Result<Turn, DbErr> {
        let turn = self.of(user).lock_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await;
        let turn = turn.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        Ok(Turn { _lasts: turn })
    }

    fn of(&self, user: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, turn| turn.strong_count() > 0);
        let known = waiting.get(&user).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::default();
            waiting.insert(user, Arc::downgrade(&turn));
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_user_has_one_turn_at_a_time_and_users_do_not_wait_for_each_other() {
        let (turns, alice, bob) = (Turns::default(), Uuid::new_v4(), Uuid::new_v4());
        let turn = turns.take(alice).await.unwrap();
        turns.take(bob).await.unwrap();
        assert!(turns.take(alice).now_or_never().is_none());
        drop(turn);
        turns.take(alice).await.unwrap();
    }

    #[tokio::test]
    async fn users_without_a_turn_occupy_no_memory() {
        let turns = Turns::default();
        for _ in 0..1_000 {
            turns.take(Uuid::new_v4()).await.unwrap();
        }
        assert!(turns.waiting.lock().unwrap().len() <= 1);
    }
}
