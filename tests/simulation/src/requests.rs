//! The requests that the simulated services serve.

use std::sync::Arc;

use anyhow::{Context, Result};
use backplane::Entry;
use contracts::drift::{Severity, Status};
use contracts::events::auth::{
    DeviceInfo, EndReason, SessionCreated, SessionDeleted, TokenRefreshed, UserUpdated,
};
use contracts::events::drift::{DriftCreated, DriftSubject, DriftUpdated};
use contracts::{AccountId, Claims, Clock, Holder, Role};
use identity::{UserChange, session_mark, user_mark};
use uuid::Uuid;

use crate::database::{Fact, Version};
use crate::process::{Process, TOKEN_LIFE, User};

impl Process {
    /// Opens a session, and returns it with its token. Fails if the database does, or the process dies.
    ///
    /// # Errors
    /// If the outcome is not known to the caller.
    pub(crate) async fn log_in(&self, user: &User) -> Result<(Uuid, String)> {
        let (database, clock) = (Arc::clone(&self.database), self.platform.clock().clone());
        let (session, user, number) = (Uuid::new_v4(), user.clone(), self.number);
        let entry = Entry::of(
            SessionCreated { user_id: user.id, session_id: session, device_info: DeviceInfo::default() },
            &clock,
        )?;
        let fact = Fact::Session { user: user.id, session, ends: false };
        let token = self.token(&user, session)?;
        let now = clock.now();
        self.run(async move { database.transact(number, user.id, |_| vec![(fact, entry)], now).await })
            .await?;
        Ok((session, token))
    }

    /// Signs a new token for a session, and announces that without a position.
    ///
    /// # Errors
    /// If the process dies meanwhile.
    pub(crate) async fn refresh(&self, user: &User, session: Uuid) -> Result<String> {
        let refreshed = TokenRefreshed { user_id: user.id, session_id: session };
        let entry = Entry::of(refreshed, self.platform.clock())?;
        let log = Arc::clone(&self.platform.backplane().log);
        let _ = self.run(async move { Ok(log.append(&[entry]).await?) }).await;
        self.token(user, session)
    }

    fn token(&self, user: &User, session: Uuid) -> Result<String> {
        let now = self.platform.clock().now();
        let changed = self.database.changed_user(user.id);
        let holder = Holder {
            subject: user.id.to_string(),
            email: "someone@example.com".into(),
            role: changed.as_ref().map_or(Role::Viewer, |change| change.role),
            generation: changed.as_ref().map_or(0, |change| change.generation),
            account_id: changed.map_or_else(|| user.account.clone(), |change| change.account_id),
            session,
        };
        let claims = Claims::access(holder, now, now + TOKEN_LIFE);
        self.platform.tokens().keys.sign(&claims).context("the token cannot be signed")
    }

    /// Ends a session, as auth-service does.
    ///
    /// # Errors
    /// If the outcome is not known to the caller.
    pub(crate) async fn end_session(&self, user: Uuid, session: Uuid) -> Result<()> {
        let (database, clock) = (Arc::clone(&self.database), self.platform.clock().clone());
        let (reason, number, now) = (EndReason::Logout, self.number, clock.now());
        let entry = Entry::of(SessionDeleted { user_id: user, session_id: session, reason }, &clock)?;
        let entry = Entry { marks: vec![session_mark(session, reason, now + TOKEN_LIFE)], ..entry };
        let revocations = self.platform.tokens().revocations.clone();
        let fact = Fact::Session { user, session, ends: true };
        self.run(async move {
            let end = |_| if database.ended(session).is_none() { vec![(fact, entry)] } else { Vec::new() };
            database.transact(number, user, end, now).await?;
            revocations.end_session(session, reason);
            Ok(())
        })
        .await
    }

    /// Changes the role and the account of a user.
    ///
    /// # Errors
    /// If the outcome is not known to the caller.
    pub(crate) async fn change_user(
        &self,
        user: Uuid,
        role: Role,
        account_id: Option<AccountId>,
    ) -> Result<()> {
        let (database, clock, number) =
            (Arc::clone(&self.database), self.platform.clock().clone(), self.number);
        let now = clock.now();
        self.run(async move {
            let users = Arc::clone(&database);
            let change = |_| {
                let generation = users.changed_user(user).map_or(0, |last| last.generation) + 1;
                let change = UserChange { generation, role, is_active: true, account_id };
                user_event(user, change, &clock).into_iter().collect()
            };
            database.transact(number, user, change, now).await
        })
        .await
    }

    /// Creates or changes a drift.
    ///
    /// # Errors
    /// If the outcome is not known to the caller.
    pub(crate) async fn change_drift(
        &self,
        subject: Uuid,
        account: Option<AccountId>,
        many: u32,
    ) -> Result<()> {
        let (database, clock, number) =
            (Arc::clone(&self.database), self.platform.clock().clone(), self.number);
        let now = clock.now();
        let make = move |last: u32| {
            let versions = (last + 1)..=(last + many);
            versions
                .filter_map(|number| drift_event(Version { subject, number }, account.clone(), &clock))
                .collect()
        };
        self.run(async move { database.transact(number, subject, make, now).await }).await
    }

    /// Publishes what another back end could: a message without a place in the log.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub(crate) async fn broadcast(&self, channel: &str, body: String) -> Result<()> {
        let (log, channel) = (Arc::clone(&self.platform.backplane().log), channel.to_owned());
        self.run(async move {
            log.broadcast(&channel, &body).await?;
            Ok(())
        })
        .await
    }

    /// Runs work that dies with the process, and wakes the relay after it.
    async fn run(&self, work: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        let committed = Arc::clone(&self.committed);
        let working = async move {
            let result = work.await;
            if result.is_ok() {
                committed.notify_one();
            }
            result
        };
        self.platform.lifecycle().tasks.run("request", working).await?.context("the request panicked")?
    }
}

fn user_event(user_id: Uuid, change: UserChange, clock: &Clock) -> Option<(Fact, Entry)> {
    let UserChange { generation, role, is_active, account_id } = change.clone();
    let event = UserUpdated { user_id, role, is_active, generation, account_id };
    let marks = vec![user_mark(user_id, &change, clock.now() + TOKEN_LIFE)];
    let entry = Entry { marks, ..Entry::of(event, clock).ok()? };
    Some((Fact::User { user: user_id, change }, entry))
}

fn drift_event(version: Version, account: Option<AccountId>, clock: &Clock) -> Option<(Fact, Entry)> {
    let fact = Fact::Drift { version, account: account.clone() };
    let region = Some(version.number.to_string());
    let entry = if version.number == 1 {
        Entry::of(
            DriftCreated {
                id: version.subject,
                subject: drift_subject(),
                region,
                cost_impact_monthly: 0.0,
                detected_at: clock.now(),
                status: Status::Detected,
                version: 1,
                account_id: account,
            },
            clock,
        )
    } else {
        Entry::of(
            DriftUpdated {
                id: version.subject,
                subject: drift_subject(),
                status: Status::Detected,
                version: 2,
                cost_impact_monthly: 0.0,
                region,
                account_id: account,
            },
            clock,
        )
    };
    Some((fact, entry.ok()?))
}

fn drift_subject() -> DriftSubject {
    DriftSubject {
        stack: String::new(),
        address: String::new(),
        resource_id: String::new(),
        resource_type: "aws_instance".into(),
        severity: Severity::Info,
        fingerprint: String::new(),
    }
}
