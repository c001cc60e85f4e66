//! Compares random histories of one user's sessions with a naive model that remembers every token and every
//! time. Ten thousand histories run with the rules alone, some with the whole service.

mod model;
mod rules;

use std::cmp::Reverse;

use auth_service::token::refresh_token::RefreshToken;
use auth_service::token::rotation::RotationPolicy;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, User};
use model::Model;
use rules::Rules;

/// No sum of [`PASSES`] comes near one of these times, so the duration of a step does not matter.
const IDLE: TimeDelta = TimeDelta::seconds(24 * 60);
const LIFETIME: TimeDelta = TimeDelta::seconds(2 * 60 * 60);
const POLICY: RotationPolicy = RotationPolicy { rotate: true, grace: TimeDelta::seconds(96) };
const PASSES: [i64; 6] = [64, 64, 128, 640, 1_280, 5_120];
const ACTIVITY_INTERVAL: TimeDelta = TimeDelta::seconds(60);
const MAX_SESSIONS: usize = 3;

/// Numbers choose sessions and tokens, modulo the existing ones.
#[derive(Clone, Debug)]
enum Step {
    Login,
    Refresh {
        session: usize,
    },
    /// The successor never reaches the client, which later sends its old token again.
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let session = || 0..8usize;
    let step = prop_oneof![
        2 => Just(Step::Login),
        4 => session().prop_map(|session| Step::Refresh { session }),
        2 => session().prop_map(|session| Step::LostAnswer { session }),
        2 => (session(), 2..6usize).prop_map(|(session, callers)| Step::Race { session, callers }),
        3 => (session(), 0..8usize).prop_map(|(session, token)| Step::Replay { session, token }),
        1 => session().prop_map(|session| Step::Activity { session }),
        1 => session().prop_map(|session| Step::Logout { session }),
        4 => prop::sample::select(&PASSES[..]).prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec(step, 1..40)
}

/// An implementation of the sessions of one user, numbered from 0 in the order of opening.
trait Sessions {
    async fn log_in(&mut self, now: DateTime<Utc>);
    /// Returns the number of the new token; `None` if the session has ended.
    async fn refresh(&mut self, session: usize, token: u32, now: DateTime<Utc>) -> Option<u32>;
    async fn touch(&mut self, session: usize, now: DateTime<Utc>);
    async fn log_out(&mut self, session: usize, now: DateTime<Utc>);
    async fn is_live(&self, session: usize, now: DateTime<Utc>) -> bool;
    fn pass(&mut self, _by: TimeDelta) {}
}

/// The service over HTTP, with its own clock.
struct Service<'a> {
    app: &'a App,
    name: String,
    sessions: Vec<User>,
}

impl Sessions for Service<'_> {
    async fn log_in(&mut self, _: DateTime<Utc>) {
        let is_new = self.sessions.is_empty();
        let user =
            if is_new { self.app.sign_up(&self.name).await } else { self.app.log_in(&self.name).await };
        self.sessions.push(user);
    }

    async fn refresh(&mut self, session: usize, token: u32, _: DateTime<Utc>) -> Option<u32> {
        let tokens = &self.app.state.refresh_tokens;
        let session_id = self.sessions[session].session;
        let answer = self.app.try_refresh(&tokens.issue(RefreshToken { session_id, counter: token })).await;
        match answer.status {
            StatusCode::UNAUTHORIZED => None,
            _ => Some(tokens.read(answer.data()["refreshToken"].as_str().unwrap()).unwrap().counter),
        }
    }

    async fn touch(&mut self, session: usize, _: DateTime<Utc>) {
        let answer = self.sessions[session].client.post("/api/auth/activity", &json!({})).await;
        assert!([StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&answer.status), "{}", answer.text);
    }

    async fn log_out(&mut self, session: usize, _: DateTime<Utc>) {
        let body = json!({"refreshToken": self.sessions[session].refresh});
        self.app.client.post("/api/auth/logout", &body).await.expect(StatusCode::OK);
    }

    async fn is_live(&self, session: usize, _: DateTime<Utc>) -> bool {
        self.sessions[session].client.get("/api/auth/session").await.status == StatusCode::OK
    }

    fn pass(&mut self, by: TimeDelta) {
        self.app.advance(by);
    }
}

/// One history, executed by the model and by the tested implementation.
struct History<S> {
    now: DateTime<Utc>,
    model: Model,
    tested: S,
}

impl<S: Sessions> History<S> {
    async fn run(tested: S, steps: &[Step]) -> Result<(), TestCaseError> {
        let mut history = Self { now: DateTime::UNIX_EPOCH, model: Model::default(), tested };
        history.log_in().await;
        for step in steps {
            // Steps without time in between must still have an order.
            history.now += TimeDelta::milliseconds(1);
            history.step(step).await?;
            history.compare().await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Login => self.log_in().await,
            Step::Pass { seconds } => self.pass(TimeDelta::seconds(seconds)),
            Step::Refresh { session } => {
                let (session, newest) = self.newest_token(session);
                let lives = self.model.is_live(session, self.now).await;
                let answer = self.refresh(session, newest).await?;
                prop_assert_eq!(
                    answer,
                    lives.then_some(newest + 1),
                    "the newest token works while the session lives"
                );
            }
            Step::LostAnswer { session } => {
                let (session, newest) = self.newest_token(session);
                if let Some(lost) = self.refresh(session, newest).await? {
                    self.pass(TimeDelta::seconds(640));
                    if self.model.is_live(session, self.now).await {
                        prop_assert_eq!(self.refresh(session, newest).await?, Some(lost));
                    }
                }
            }
            Step::Race { session, callers } => {
                let (session, newest) = self.newest_token(session);
                let first = self.refresh(session, newest).await?;
                for _ in 1..callers {
                    prop_assert_eq!(
                        self.refresh(session, newest).await?,
                        first,
                        "racing callers get one successor"
                    );
                }
            }
            Step::Replay { session, token } => {
                let (session, newest) = self.newest_token(session);
                self.refresh(session, token as u32 % (newest + 1)).await?;
            }
            Step::Activity { session } => {
                let session = self.nth(session);
                self.model.touch(session, self.now).await;
                self.tested.touch(session, self.now).await;
            }
            Step::Logout { session } => {
                let session = self.nth(session);
                self.model.log_out(session, self.now).await;
                self.tested.log_out(session, self.now).await;
            }
        }
        Ok(())
    }

    async fn log_in(&mut self) {
        self.model.log_in(self.now).await;
        self.tested.log_in(self.now).await;
    }

    async fn refresh(&mut self, session: usize, token: u32) -> Result<Option<u32>, TestCaseError> {
        let expected = self.model.refresh(session, token, self.now).await;
        let answer = self.tested.refresh(session, token, self.now).await;
        prop_assert_eq!(answer, expected, "token {} of session {}", token, session);
        Ok(answer)
    }

    fn pass(&mut self, by: TimeDelta) {
        self.now += by;
        self.tested.pass(by);
    }

    fn nth(&self, session: usize) -> usize {
        session % self.model.0.len()
    }

    fn newest_token(&self, session: usize) -> (usize, u32) {
        let session = self.nth(session);
        (session, self.model.0[session].first_uses.len() as u32 - 1)
    }

    /// Checks that the same sessions are live in both, and never too many.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let mut live = 0;
        for session in 0..self.model.0.len() {
            let expected = self.model.is_live(session, self.now).await;
            prop_assert_eq!(self.tested.is_live(session, self.now).await, expected, "session {}", session);
            live += usize::from(expected);
        }
        prop_assert!(live <= MAX_SESSIONS);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn the_rules_follow_the_model(steps in steps()) {
        History::run(Rules::default(), &steps).now_or_never().unwrap()?;
    }
}

#[rstest]
#[actix_web::test]
async fn the_service_follows_the_model(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(
        backend,
        &[
            "--session-timeout-minutes=24",
            "--session-lifetime-hours=2",
            "--refresh-grace-seconds=96",
            "--max-sessions-per-user=3",
            "--jwt-access-expiry=1day",
        ],
    )
    .await;
    let mut runner = TestRunner::default();
    let mut histories = (0..25).map(|_| steps().new_tree(&mut runner).unwrap().current()).collect::<Vec<_>>();
    histories.sort_by_key(|steps| Reverse(steps.len()));
    for (nth, steps) in histories.iter().enumerate() {
        let service = Service { app: &app, name: format!("alice{nth}"), sessions: Vec::new() };
        if let Err(error) = History::run(service, steps).await {
            panic!("{error} in {steps:#?}");
        }
    }
}
