//! Random histories of one user's sessions, run against the rules that the service uses and against a
//! naive model that remembers every token and every moment.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use crate::lifetime::{Lifetime, evicted_by_one_more};
use crate::rotation::{Decision, Rotation, RotationPolicy};

const IDLE: TimeDelta = TimeDelta::minutes(60);
const ABSOLUTE: TimeDelta = TimeDelta::hours(5);
const MAX_SESSIONS: usize = 3;
const POLICY: RotationPolicy = RotationPolicy { rotate: true, grace: TimeDelta::seconds(30) };

/// Sessions and tokens are chosen by a number that is taken modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Login,
    Refresh {
        session: usize,
    },
    /// The successor never reaches the client, which asks again with what it has.
    LostAnswer {
        session: usize,
    },
    Race {
        session: usize,
        callers: usize,
    },
    Replay {
        session: usize,
        token: usize,
    },
    Activity {
        session: usize,
    },
    Logout {
        session: usize,
    },
    Pass {
        seconds: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..8usize;
    let short_or_long = prop_oneof![3 => 0..45i64, 2 => 45..3_700i64, 1 => 3_700..20_000i64];
    prop_oneof![
        2 => Just(Step::Login),
        4 => session.clone().prop_map(|session| Step::Refresh { session }),
        2 => session.clone().prop_map(|session| Step::LostAnswer { session }),
        2 => (session.clone(), 2..6usize).prop_map(|(session, callers)| Step::Race { session, callers }),
        3 => (session.clone(), 0..8usize).prop_map(|(session, token)| Step::Replay { session, token }),
        1 => session.clone().prop_map(|session| Step::Activity { session }),
        1 => session.prop_map(|session| Step::Logout { session }),
        4 => short_or_long.prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What the service keeps, with its rules.
struct Kept {
    life: Lifetime,
    rotation: Rotation,
    ended: bool,
}

impl Kept {
    fn live(&self, now: DateTime<Utc>) -> bool {
        !self.ended && self.life.over(now, IDLE).is_none()
    }

    fn refresh(&mut self, presented: u32, now: DateTime<Utc>) -> Option<u32> {
        if !self.live(now) {
            return None;
        }
        let answer = match self.rotation.decide(presented, now, POLICY) {
            Decision::Rotate => {
                self.rotation = self.rotation.rotate(now, POLICY);
                self.rotation.newest()
            }
            Decision::Repeat(counter) => counter,
            Decision::Theft => {
                self.ended = true;
                return None;
            }
        };
        self.life.last_activity = now;
        Some(answer)
    }
}

/// The naive model: every token with the moment of its first use.
struct Remembered {
    created_at: DateTime<Utc>,
    last_activity: DateTime<Utc>,
    first_uses: Vec<Option<DateTime<Utc>>>,
    ended: bool,
}

impl Remembered {
    fn live(&self, now: DateTime<Utc>) -> bool {
        !self.ended && now - self.created_at < ABSOLUTE && now - self.last_activity < IDLE
    }

    fn refresh(&mut self, presented: usize, now: DateTime<Utc>) -> Option<u32> {
        if !self.live(now) {
            return None;
        }
        let successor = presented + 1;
        match self.first_uses[presented] {
            None => {
                self.first_uses[presented] = Some(now);
                self.first_uses.push(None);
            }
            Some(used) if now - used <= POLICY.grace || self.first_uses[successor].is_none() => {}
            Some(_) => {
                self.ended = true;
                return None;
            }
        }
        self.last_activity = now;
        Some(successor as u32)
    }
}

#[derive(Default)]
struct History {
    now: DateTime<Utc>,
    kept: Vec<Kept>,
    remembered: Vec<Remembered>,
}

impl History {
    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Login => return self.login(),
            Step::Pass { seconds } => self.now += TimeDelta::seconds(seconds),
            Step::Refresh { session } => drop(self.refresh_with_newest(session)?),
            Step::LostAnswer { session } => {
                if let Some((session, token)) = self.newest_token(session) {
                    let lost = self.refresh(session, token)?;
                    self.now += TimeDelta::minutes(10);
                    prop_assert_eq!(self.refresh(session, token)?, lost, "a lost answer logs nobody out");
                }
            }
            Step::Race { session, callers } => {
                if let Some((session, token)) = self.newest_token(session) {
                    let first = self.refresh(session, token)?;
                    for _ in 1..callers {
                        prop_assert_eq!(
                            self.refresh(session, token)?,
                            first,
                            "racing callers get one successor"
                        );
                    }
                }
            }
            Step::Replay { session, token } => {
                if let Some((session, newest)) = self.newest_token(session) {
                    self.refresh(session, token % (newest + 1))?;
                }
            }
            Step::Activity { session } => {
                if let Some(session) = self.nth(session).filter(|nth| self.kept[*nth].live(self.now)) {
                    self.kept[session].life.last_activity = self.now;
                    self.remembered[session].last_activity = self.now;
                }
            }
            Step::Logout { session } => {
                if let Some(session) = self.nth(session) {
                    self.kept[session].ended = true;
                    self.remembered[session].ended = true;
                }
            }
        }
        Ok(())
    }

    fn login(&mut self) -> Result<(), TestCaseError> {
        let now = self.now;
        let live =
            |(nth, kept): (usize, &Kept)| kept.live(now).then_some((Uuid::from_u128(nth as u128), kept.life));
        for id in evicted_by_one_more(self.kept.iter().enumerate().filter_map(live).collect(), MAX_SESSIONS) {
            self.kept[id.as_u128() as usize].ended = true;
        }
        let life = Lifetime { created_at: now, last_activity: now, expires_at: now + ABSOLUTE };
        self.kept.push(Kept { life, rotation: Rotation::default(), ended: false });

        while self.remembered.iter().filter(|session| session.live(now)).count() >= MAX_SESSIONS {
            let oldest = self.remembered.iter_mut().filter(|session| session.live(now));
            oldest.min_by_key(|session| (session.last_activity, session.created_at)).unwrap().ended = true;
        }
        self.remembered.push(Remembered {
            created_at: now,
            last_activity: now,
            first_uses: vec![None],
            ended: false,
        });
        prop_assert!(self.kept.last().unwrap().live(now), "the new session is never the one that makes room");
        Ok(())
    }

    fn refresh_with_newest(&mut self, session: usize) -> Result<Option<u32>, TestCaseError> {
        let Some((session, token)) = self.newest_token(session) else { return Ok(None) };
        let live = self.remembered[session].live(self.now);
        let answer = self.refresh(session, token)?;
        prop_assert_eq!(answer.is_some(), live, "the newest token works exactly while the session lives");
        Ok(answer)
    }

    fn refresh(&mut self, session: usize, token: usize) -> Result<Option<u32>, TestCaseError> {
        let kept = self.kept[session].refresh(token as u32, self.now);
        let remembered = self.remembered[session].refresh(token, self.now);
        prop_assert_eq!(kept, remembered, "token {} of session {}", token, session);
        Ok(kept)
    }

    fn nth(&self, session: usize) -> Option<usize> {
        session.checked_rem(self.kept.len())
    }

    fn newest_token(&self, session: usize) -> Option<(usize, usize)> {
        self.nth(session).map(|session| (session, self.remembered[session].first_uses.len() - 1))
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let mut live = 0;
        for (kept, remembered) in self.kept.iter().zip(&self.remembered) {
            prop_assert_eq!(kept.live(self.now), remembered.live(self.now));
            prop_assert_eq!(
                kept.life.expires_at,
                remembered.created_at + ABSOLUTE,
                "refreshing extends nothing"
            );
            live += usize::from(kept.live(self.now));
        }
        prop_assert!(live <= MAX_SESSIONS);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn random_session_histories_follow_the_model(steps in prop::collection::vec(step(), 1..40)) {
        let mut history = History::default();
        for step in &steps {
            history.run(step)?;
            history.check()?;
        }
    }
}
