use chrono::{DateTime, Utc};

use super::{ACTIVITY_INTERVAL, IDLE, LIFETIME, MAX_SESSIONS, POLICY, Sessions};

/// The naive model: every token with the time of its first use.
#[derive(Default)]
pub(super) struct Model(pub Vec<Remembered>);

pub(super) struct Remembered {
    created_at: DateTime<Utc>,
    last_activity: DateTime<Utc>,
    pub first_uses: Vec<Option<DateTime<Utc>>>,
    ended: bool,
}

impl Remembered {
    fn lives(&self, now: DateTime<Utc>) -> bool {
        !self.ended && now - self.created_at < LIFETIME && now - self.last_activity < IDLE
    }

    fn note_activity(&mut self, now: DateTime<Utc>) {
        if now - self.last_activity >= ACTIVITY_INTERVAL {
            self.last_activity = now;
        }
    }
}

impl Sessions for Model {
    async fn log_in(&mut self, now: DateTime<Utc>) {
        while self.0.iter().filter(|session| session.lives(now)).count() >= MAX_SESSIONS {
            let live = self.0.iter_mut().filter(|session| session.lives(now));
            live.min_by_key(|session| (session.last_activity, session.created_at)).unwrap().ended = true;
        }
        let first_uses = vec![None];
        self.0.push(Remembered { created_at: now, last_activity: now, first_uses, ended: false });
    }

    async fn refresh(&mut self, session: usize, token: u32, now: DateTime<Utc>) -> Option<u32> {
        let session = &mut self.0[session];
        if !session.lives(now) {
            return None;
        }
        let (token, successor) = (token as usize, token as usize + 1);
        match session.first_uses[token] {
            None => {
                session.first_uses[token] = Some(now);
                session.first_uses.push(None);
                session.last_activity = now;
            }
            Some(used) if now - used <= POLICY.grace || session.first_uses[successor].is_none() => {
                session.note_activity(now);
            }
            Some(_) => {
                session.ended = true;
                return None;
            }
        }
        Some(successor as u32)
    }

    async fn touch(&mut self, session: usize, now: DateTime<Utc>) {
        if self.0[session].lives(now) {
            self.0[session].note_activity(now);
        }
    }

    async fn log_out(&mut self, session: usize, _: DateTime<Utc>) {
        self.0[session].ended = true;
    }

    async fn is_live(&self, session: usize, now: DateTime<Utc>) -> bool {
        self.0[session].lives(now)
    }
}
