use auth_service::session::lifetime::{Lifetime, evicted_by_one_more};
use auth_service::token::rotation::{Decision, Rotation};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ACTIVITY_INTERVAL, IDLE, LIFETIME, MAX_SESSIONS, POLICY, Sessions};

/// The rules of the service, without the service.
#[derive(Default)]
pub(super) struct Rules(Vec<Kept>);

struct Kept {
    life: Lifetime,
    rotation: Rotation,
    ended: bool,
}

impl Kept {
    fn lives(&self, now: DateTime<Utc>) -> bool {
        !self.ended && self.life.over(now, IDLE).is_none()
    }

    fn note_activity(&mut self, now: DateTime<Utc>) {
        if now - self.life.last_activity >= ACTIVITY_INTERVAL {
            self.life.last_activity = now;
        }
    }
}

impl Sessions for Rules {
    async fn log_in(&mut self, now: DateTime<Utc>) {
        let sessions = self.0.iter().enumerate().filter(|(_, kept)| kept.lives(now));
        let live = sessions.map(|(nth, kept)| (Uuid::from_u128(nth as u128), kept.life)).collect();
        for id in evicted_by_one_more(live, MAX_SESSIONS) {
            self.0[id.as_u128() as usize].ended = true;
        }
        let life = Lifetime { created_at: now, last_activity: now, expires_at: now + LIFETIME };
        self.0.push(Kept { life, rotation: Rotation::default(), ended: false });
    }

    async fn refresh(&mut self, session: usize, token: u32, now: DateTime<Utc>) -> Option<u32> {
        let kept = &mut self.0[session];
        if !kept.lives(now) {
            return None;
        }
        match kept.rotation.decide(token, now, POLICY) {
            Decision::Rotate => {
                kept.rotation = kept.rotation.rotate(now, POLICY);
                kept.life.last_activity = now;
                Some(kept.rotation.newest())
            }
            Decision::Repeat(counter) => {
                kept.note_activity(now);
                Some(counter)
            }
            Decision::Theft => {
                kept.ended = true;
                None
            }
        }
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
