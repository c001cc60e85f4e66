use anyhow::Result;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};
use sea_orm::Iterable;

use crate::link::entity::Purpose;
use crate::mail_queue::entity::Template;

/// The metrics of this service. Labels are constants of the code, never text of a request.
#[derive(Clone)]
pub struct Metrics {
    operations: IntCounterVec,
    tokens: IntCounterVec,
    links: IntCounterVec,
    mails: IntCounterVec,
    pub mails_waiting: IntGauge,
    /// Age of the oldest mail that waits.
    pub mail_oldest_seconds: IntGauge,
    pub password_hash_seconds: Histogram,
    pub passwords_waiting: IntGauge,
    pub active_sessions: IntGauge,
}

impl Metrics {
    pub fn register(registry: &Registry) -> Result<Self> {
        let buckets = vec![0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5];
        let hash_options = HistogramOpts::new(
            "auth_password_hash_duration_seconds",
            "Time to hash or compare one password, without the wait for a core",
        );
        let metrics = Self {
            operations: IntCounterVec::new(
                Opts::new("auth_operations_total", "Operations by outcome"),
                &["operation", "status"],
            )?,
            tokens: IntCounterVec::new(Opts::new("auth_tokens_generated_total", "Tokens issued"), &["type"])?,
            links: IntCounterVec::new(
                Opts::new("auth_links_total", "Requested one-time links by purpose and outcome"),
                &["purpose", "result"],
            )?,
            mails: IntCounterVec::new(
                Opts::new("auth_mails_total", "Attempts to send a mail by template and outcome"),
                &["template", "result"],
            )?,
            mails_waiting: IntGauge::new("auth_mails_waiting", "Mails that wait to be sent")?,
            mail_oldest_seconds: IntGauge::new(
                "auth_mail_oldest_seconds",
                "Age of the oldest mail that waits to be sent",
            )?,
            password_hash_seconds: Histogram::with_opts(hash_options.buckets(buckets))?,
            passwords_waiting: IntGauge::new(
                "auth_passwords_waiting",
                "Passwords that wait to be hashed or compared",
            )?,
            active_sessions: IntGauge::new("auth_active_sessions", "Sessions that have not ended")?,
        };
        registry.register(Box::new(metrics.operations.clone()))?;
        registry.register(Box::new(metrics.tokens.clone()))?;
        registry.register(Box::new(metrics.links.clone()))?;
        // Present from the start, so that an alert sees the first mail that is given up.
        for template in Template::iter() {
            metrics.mails.with_label_values(&[template.into(), "given_up"]);
        }
        registry.register(Box::new(metrics.mails.clone()))?;
        registry.register(Box::new(metrics.mails_waiting.clone()))?;
        registry.register(Box::new(metrics.mail_oldest_seconds.clone()))?;
        registry.register(Box::new(metrics.password_hash_seconds.clone()))?;
        registry.register(Box::new(metrics.passwords_waiting.clone()))?;
        registry.register(Box::new(metrics.active_sessions.clone()))?;
        Ok(metrics)
    }

    /// Counts an operation by its outcome and returns the outcome.
    pub fn operation<T, E>(&self, operation: &'static str, outcome: Result<T, E>) -> Result<T, E> {
        let status = if outcome.is_ok() { "success" } else { "failure" };
        self.operations.with_label_values(&[operation, status]).inc();
        outcome
    }

    pub fn token_reused(&self) {
        self.operations.with_label_values(&["refresh", "reuse"]).inc();
    }

    pub fn link(&self, purpose: Purpose, result: &'static str) {
        self.links.with_label_values(&[purpose.into(), result]).inc();
    }

    pub fn mail(&self, template: &'static str, result: &'static str) {
        self.mails.with_label_values(&[template, result]).inc();
    }

    pub fn token(&self, kind: &'static str) {
        self.tokens.with_label_values(&[kind]).inc();
    }
}
