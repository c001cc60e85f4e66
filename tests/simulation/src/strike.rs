//! Carries out the faults of a plan.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::notes;
use crate::plan::{CLIENTS, Fault, Plan};
use crate::process::{DRIFT, Process, RESTORE_INTERVAL};
use crate::run::Run;
use crate::spawn::spawn_local;
use crate::world::name;

/// The time in which every process overcomes the end of a fault: it notices the silence of Redis (4 s), connects again
/// (1 s), and reads what it missed.
const RECOVERY: Duration = Duration::from_secs(7);

/// The time in which what a process sends reaches Redis.
const SENDING: Duration = Duration::from_millis(5);

/// The time after which no process publishes an event again that is marked as sent.
const SETTLED: Duration = Duration::from_secs(5);

impl Run {
    /// Carries out the plan.
    pub(crate) async fn strike(self: Rc<Self>, plan: Plan) {
        for planned in plan.faults {
            tokio::time::sleep_until(self.world().start + planned.at).await;
            self.world().note(|| format!("FAULT {}", planned.fault));
            self.carry_out(planned.fault);
        }
    }

    fn carry_out(self: &Rc<Self>, fault: Fault) {
        let world = self.world();
        let mut disturbance = Duration::ZERO;
        match fault {
            Fault::Kill { process, down } => {
                disturbance = down;
                if let Some(dying) = self.take(process) {
                    dying.kill();
                }
                self.start_later(process, down);
            }
            Fault::Stop { process, down } => {
                disturbance = down;
                if let Some(stopping) = self.take(process) {
                    stopping.stop();
                }
                self.start_later(process, down);
            }
            Fault::Cut { process } => world.redis().cut(process),
            Fault::Partition { process, duration } => {
                disturbance = duration;
                world.cut_off(process, duration);
            }
            Fault::RedisDown { down, is_emptied } => {
                disturbance = down;
                world.redis().stop();
                let run = Rc::clone(self);
                spawn_local(async move {
                    sleep(down).await;
                    run.world().note(|| "Redis starts".into());
                    run.world().redis().start(is_emptied);
                });
            }
            Fault::Flush => {
                disturbance = RESTORE_INTERVAL;
                world.redis().flush();
            }
            Fault::FailOver { is_complete, is_crash } => {
                disturbance = RESTORE_INTERVAL;
                let mut redis = world.redis();
                if is_crash {
                    redis.stop();
                }
                redis.fail_over(is_complete);
            }
            Fault::OutOfMemory { duration } => {
                disturbance = duration;
                world.redis().refuse(duration);
            }
            Fault::Slow { duration, latency } => {
                disturbance = duration + latency;
                world.redis().slow_down(duration, latency);
            }
            Fault::EvictLog => world.redis().evict_log(),
            Fault::Trim => {
                let old = self.around.database.sent_before(Instant::now() - SETTLED);
                world.redis().trim(&old);
            }
            Fault::Double { duration } => world.redis().double(duration),
            Fault::DatabaseDown { duration } => {
                disturbance = duration;
                self.around.database.stop(duration);
            }
            Fault::Rollbacks { duration } => self.around.database.fail(duration),
            Fault::Forge { count } => self.forge(count),
            Fault::Burst { events } => self.burst(events),
            Fault::Notes { client, count, latency } => {
                disturbance = 2 * latency;
                self.send_notes(client, count / 4, "");
                // Every process reads the log to judge it, while the other messages arrive.
                self.forge_event();
                self.send_notes(client, count, "");
                let run = Rc::clone(self);
                spawn_local(async move {
                    sleep(SENDING).await;
                    run.world().redis().slow_down(latency, latency);
                });
            }
            Fault::ClientCut { client, is_half_open } => {
                self.clients[client].state.borrow_mut().cut_at = Some((Instant::now(), is_half_open));
            }
            Fault::ClientStall { client, duration } => {
                self.clients[client].state.borrow_mut().stalled_until = Instant::now() + duration;
            }
            Fault::ClientFlood { client, messages } => {
                self.clients[client].state.borrow_mut().flood += messages
            }
        }
        world.disturb(disturbance + RECOVERY);
    }

    /// Takes a process out of those that run.
    fn take(&self, process: usize) -> Option<Rc<Process>> {
        self.around.processes.borrow_mut()[process].take()
    }

    fn start_later(self: &Rc<Self>, process: usize, down: Duration) {
        let run = Rc::clone(self);
        spawn_local(async move {
            sleep(down).await;
            run.start(process);
        });
    }

    /// Starts a process unless it runs.
    pub(crate) fn start(&self, process: usize) {
        if self.around.processes.borrow()[process].is_some() {
            return;
        }
        match Process::start(self.world(), &self.around.database, process) {
            Ok(started) => {
                self.world().note(|| format!("{} starts", name(process)));
                self.around.processes.borrow_mut()[process] = Some(Rc::new(started));
            }
            Err(error) => self.world().violate(|| format!("{} does not start: {error:#}", name(process))),
        }
    }

    fn forge(&self, count: u32) {
        for _ in 0..count {
            if self.world().draw(|rng| rng.bool()) {
                self.forge_event();
            } else {
                let client = self.world().draw(|rng| rng.usize(..CLIENTS));
                self.send_notes(client, 1, &self.draw_claim());
            }
        }
    }

    /// Publishes an event that was never committed, with a false place in the log.
    fn forge_event(&self) {
        let (id, claim) = (uuid::Uuid::new_v4(), self.draw_claim());
        let body = format!(
            r#"{{"eventId":"{id}","type":"drift:created","timestamp":"2026-01-01T00:00:00Z","payload":{{"id":"forged"}}{claim}}}"#
        );
        self.broadcast("drift:created".into(), body);
    }

    /// The fields of an envelope that claim a place near the newest event.
    fn draw_claim(&self) -> String {
        let head = self.world().redis().place();
        let seq = head.seq.saturating_add(self.world().draw(|rng| rng.u64(0..4))).saturating_sub(2);
        format!(r#","seq":{seq},"epoch":"{}""#, head.epoch)
    }

    /// Publishes messages to the user of a client.
    pub(crate) fn send_notes(&self, client: usize, count: u32, claim: &str) {
        for _ in 0..count {
            let body = notes::body(self.world().notes().next(), claim);
            self.broadcast(notes::channel(self.clients[client].user.id), body);
        }
    }

    /// Publishes what another back end could: a message without a place in the log. Does not wait for the response.
    fn broadcast(&self, channel: String, body: String) {
        let Some(process) = self.around.processes.borrow()[DRIFT[0]].clone() else { return };
        spawn_local(async move {
            // An error means that Redis is unavailable, and that nobody receives the message.
            let _ = process.broadcast(&channel, body).await;
        });
    }

    fn burst(self: &Rc<Self>, events: u32) {
        let subject = self.subject();
        let Some(process) = self.around.processes.borrow()[DRIFT[1]].clone() else { return };
        spawn_local(async move {
            let _ = process.change_drift(subject, None, events).await;
        });
    }

    /// Ends every fault.
    pub(crate) fn heal(&self) {
        self.world().note(|| "everything is healed".into());
        self.world().heal();
        self.world().redis().heal();
        self.around.database.heal();
        for client in &self.clients {
            client.state.borrow_mut().stalled_until = Instant::now();
        }
        for process in 0..crate::world::PROCESSES {
            self.start(process);
        }
        self.world().disturb(RECOVERY + RESTORE_INTERVAL);
    }
}
