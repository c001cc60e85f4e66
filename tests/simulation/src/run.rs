//! One run: a plan, carried out in virtual time on one thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use contracts::Role;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::client::{Client, Surroundings};
use crate::database::Database;
use crate::isolate::in_own_process;
use crate::kind::Kind;
use crate::plan::{CLIENTS, LENGTH, Plan};
use crate::process::{AUTH, DRIFT, User, config};
use crate::redis::REPLICATION;
use crate::spawn::spawn_local;
use crate::world::{PROCESSES, Violation, Without, World};
use crate::{entropy, panics};

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub timeline: String,
    /// Number of committed events.
    pub events: usize,
    /// The virtual time that passed.
    pub lasted: Duration,
}

pub(crate) struct Run {
    pub around: Rc<Surroundings>,
    pub clients: Vec<Rc<Client>>,
    subjects: RefCell<Vec<Uuid>>,
}

/// Carries out a plan in a process of its own. Equal arguments give equal outcomes. `is_told`: with a timeline.
///
/// # Panics
/// If that process ends without an outcome.
#[expect(
    clippy::expect_used,
    reason = "a run that ends so is a fault of what it simulates, or of the simulation"
)]
pub fn run(plan: &Plan, without: Without, is_told: bool) -> Outcome {
    // Read before: the first run would draw other random bytes.
    config();
    in_own_process(|| run_here(plan.clone(), without, is_told)).expect("the run has an outcome")
}

#[expect(
    clippy::expect_used,
    reason = "a panic of a run is a fault of what it simulates, or of the simulation"
)]
fn run_here(plan: Plan, without: Without, is_told: bool) -> Outcome {
    // A thread of its own, because the maps of the standard library draw once per thread.
    let running = std::thread::spawn(move || {
        entropy::seed(plan.seed);
        panics::record();
        let runtime =
            Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let outcome = LocalSet::new().block_on(&runtime, Run::begin(plan, without, is_told));
        runtime.shutdown_background();
        outcome
    });
    running.join().expect("the run does not panic")
}

impl Run {
    async fn begin(plan: Plan, without: Without, is_told: bool) -> Outcome {
        let world = World::new(plan.seed, without, is_told);
        world.redis().is_replicating = plan.has_failover();
        let database = Database::new(&world);
        let around = Rc::new(Surroundings {
            world: Arc::clone(&world),
            database,
            processes: RefCell::new([const { None }; PROCESSES]),
        });
        let accounts = [Some("a"), Some("b"), None];
        let users = accounts.map(|account| User { id: Uuid::new_v4(), account: account.map(Into::into) });
        let clients = (0..CLIENTS).map(|number| {
            Client::new(number, Kind::of(number, plan.seed), users[number % 3].clone(), Rc::clone(&around))
        });
        let run = Rc::new(Self {
            clients: clients.collect(),
            around,
            subjects: RefCell::new((0..4).map(|_| Uuid::new_v4()).collect()),
        });
        for process in 0..PROCESSES {
            run.start(process);
        }
        for client in &run.clients {
            spawn_local(Rc::clone(client).live());
        }
        spawn_local({
            let run = Rc::clone(&run);
            async move { run.watch().await }
        });
        spawn_local(Rc::clone(&run).replicate());
        spawn_local(Rc::clone(&run).strike(plan));
        Rc::clone(&run).work().await;
        run.heal();
        run.rest().await;
        run.check_panics();
        let events = run.around.database.now();
        for process in run.around.processes.borrow_mut().iter_mut().filter_map(Option::take) {
            process.kill();
        }
        Outcome {
            violation: world.violation(),
            timeline: world.timeline(),
            events,
            lasted: world.start.elapsed(),
        }
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.around.world
    }

    /// One of a few drifts; now and then, a new one takes the place of an old one.
    pub(crate) fn subject(&self) -> Uuid {
        let mut subjects = self.subjects.borrow_mut();
        let (index, is_new) = self.world().draw(|rng| (rng.usize(..subjects.len()), rng.u32(0..6) == 0));
        if is_new {
            subjects[index] = Uuid::new_v4();
        }
        subjects[index]
    }

    /// Commits events, and ends sessions, until the end of the plan.
    async fn work(self: Rc<Self>) {
        while self.world().start.elapsed() < LENGTH && self.world().violation().is_none() {
            sleep(self.world().draw_duration(20..300)).await;
            let client = Rc::clone(&self.clients[self.world().draw(|rng| rng.usize(..CLIENTS))]);
            let run = Rc::clone(&self);
            match self.world().draw(|rng| rng.u32(0..40)) {
                0..=3 => spawn_local(async move { run.end_session(&client).await }),
                4 | 5 => client.state.borrow_mut().renews = true,
                6 => spawn_local(async move { run.change_user(&client).await }),
                7..=10 => self.send_notes(client.number, 1, ""),
                _ => spawn_local(async move { run.change_drift().await }),
            }
        }
    }

    async fn end_session(&self, client: &Client) {
        let session = client.state.borrow().session.as_ref().map(|(session, _)| *session);
        let auth = client.process(&AUTH);
        if let (Some(session), Some(auth)) = (session, auth) {
            let result = auth.end_session(client.user.id, session).await;
            self.world().note(|| format!("session {session} of client {} ends: {result:?}", client.number));
        }
    }

    async fn change_user(&self, client: &Client) {
        let (role, account) = self
            .world()
            .draw(|rng| (rng.choice([Role::Viewer, Role::Admin]), rng.choice([Some("a"), Some("b"), None])));
        let (role, account) = (role.unwrap_or(Role::Viewer), account.flatten());
        let Some(auth) = client.process(&AUTH) else { return };
        let result = auth.change_user(client.user.id, role, account.map(Into::into)).await;
        self.world()
            .note(|| format!("user of client {} becomes {role} of {account:?}: {result:?}", client.number));
    }

    async fn change_drift(&self) {
        let subject = self.subject();
        let account = ["a", "b"][usize::from(subject.as_bytes()[0] % 2)];
        let Some(process) = self.clients[0].process(&DRIFT) else { return };
        let result = process.change_drift(subject, Some(account.into()), 1).await;
        self.world().note(|| format!("drift {subject} changes: {result:?}"));
    }

    async fn replicate(self: Rc<Self>) {
        let mut ticks = tokio::time::interval_at(Instant::now() + REPLICATION, REPLICATION);
        while self.world().redis().is_replicating {
            ticks.tick().await;
            self.world().redis().replicate();
        }
    }
}
