//! The events of the load, appended to the log as the services append theirs. A server that only subscribes
//! to Redis receives the same JSON.

use std::time::{Duration, Instant};

use anyhow::Result;
use backplane::{Backplane, Entry, Options};
use contracts::events::alert::AlertCreated;
use contracts::events::auth::{DeviceInfo, EndReason, SessionCreated, SessionDeleted};
use contracts::events::drift::{DriftCreated, DriftSubject};
use contracts::{Claims, Clock, Event, Holder, Role, Tasks};
use identity::{Keys, session_mark};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::MARK;

/// A user with a socket.
#[derive(Clone)]
pub(super) struct User {
    pub id: Uuid,
    pub session: Uuid,
    pub account: String,
    pub token: String,
}

/// Creates users with tokens that outlast the run, ten users per account.
pub(super) fn users(count: usize, keys: &Keys, clock: &Clock) -> Result<Vec<User>> {
    let expires_at = clock.now() + chrono::TimeDelta::hours(2);
    let user = |number: usize| {
        let (id, session, account) = (Uuid::new_v4(), Uuid::new_v4(), format!("account-{}", number / 10));
        let holder = Holder {
            subject: id.to_string(),
            email: format!("{number}@example.com"),
            role: Role::Viewer,
            account_id: Some(account.as_str().into()),
            generation: 0,
            session,
        };
        let token = keys.sign(&Claims::access(holder, clock.now(), expires_at))?;
        Ok(User { id, session, account, token })
    };
    (0..count).map(user).collect()
}

/// Creates events, each with the next number, and appends them.
pub(super) struct Publisher {
    backplane: Backplane,
    clock: Clock,
    number: u64,
}

impl Publisher {
    pub(super) fn connect(redis: &str) -> Result<Self> {
        let clock = Clock::system();
        let backplane =
            Backplane::connect(redis, Options::new(clock.clone(), Tasks::new(CancellationToken::new())))?;
        Ok(Self { backplane, clock, number: 0 })
    }

    /// Creates an event of about 300 bytes for an account and for all sockets that watch drifts.
    pub(super) fn drift(&mut self, account: &str) -> Result<Entry> {
        let resource_id = format!("arn:aws:ec2:eu-west-1:123456789012:instance/i-{}", self.next());
        self.entry(DriftCreated {
            id: Uuid::now_v7(),
            subject: DriftSubject {
                stack: "bench".into(),
                address: "aws_instance.web".into(),
                resource_id,
                resource_type: "aws_instance".into(),
                severity: contracts::drift::Severity::Warning,
                fingerprint: "0".repeat(32),
            },
            region: Some("eu-west-1".into()),
            cost_impact_monthly: 12.5,
            detected_at: self.clock.now(),
            status: contracts::drift::Status::Detected,
            version: 1,
            account_id: Some(account.into()),
        })
    }

    /// Creates events in an account of no user: only sockets that subscribed to drifts receive them.
    pub(super) fn drifts(&mut self, count: usize) -> Result<Vec<Entry>> {
        (0..count).map(|_| self.drift("nobody")).collect()
    }

    /// Creates an alert with a message of this length, for all sockets that watch alerts.
    pub(super) fn alert(&mut self, length: usize) -> Result<Entry> {
        let title = self.next();
        self.entry(AlertCreated {
            id: Uuid::now_v7(),
            drift_id: None,
            stack: None,
            alert_type: contracts::events::alert::AlertType::DriftDetected,
            severity: contracts::drift::Severity::Warning,
            title,
            message: "x".repeat(length),
            created_at: self.clock.now(),
        })
    }

    /// Creates an event of about 300 bytes for one user.
    pub(super) fn login(&mut self, user: &User) -> Result<Entry> {
        let device_info = DeviceInfo {
            browser: Some(format!("{} {}", self.next(), "x".repeat(120))),
            os: Some("Linux".into()),
            device: Some("desktop".into()),
        };
        self.entry(SessionCreated { user_id: user.id, session_id: Uuid::new_v4(), device_info })
    }

    /// Creates the end of a session, with its mark.
    pub(super) fn logout(&self, user: &User) -> Result<Entry> {
        let reason = EndReason::Logout;
        let mut entry = self.entry(SessionDeleted { user_id: user.id, session_id: user.session, reason })?;
        let until = self.clock.now() + chrono::TimeDelta::hours(2);
        entry.marks.push(session_mark(user.session, reason, until));
        Ok(entry)
    }

    /// Appends all events in one step.
    pub(super) async fn append(&self, entries: &[Entry]) -> Result<()> {
        Ok(self.backplane.log.append(entries).await?)
    }

    /// Appends the events one by one, at this rate per second.
    pub(super) async fn append_at_rate(&self, entries: &[Entry], per_second: u32) -> Result<()> {
        // Paces itself on a blocking thread, because the runtime's timers are too coarse.
        tokio::task::block_in_place(|| {
            let (started, pause) = (Instant::now(), Duration::from_secs(1) / per_second);
            for (number, entry) in (0_u32..).zip(entries) {
                std::thread::sleep((pause * number).saturating_sub(started.elapsed()));
                Handle::current().block_on(self.append(std::slice::from_ref(entry)))?;
            }
            Ok(())
        })
    }

    fn next(&mut self) -> String {
        self.number += 1;
        format!("{MARK}{:08}{MARK}", self.number)
    }

    fn entry(&self, event: impl Event) -> Result<Entry> {
        Ok(Entry::of(event, &self.clock)?)
    }
}
