use anyhow::Result;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

/// The metrics of this service. Labels are constants of the code, never text of a request.
#[derive(Clone)]
pub struct Metrics {
    operations: IntCounterVec,
    tokens: IntCounterVec,
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
            password_hash_seconds: Histogram::with_opts(hash_options.buckets(buckets))?,
            passwords_waiting: IntGauge::new(
                "auth_passwords_waiting",
                "Passwords that wait to be hashed or compared",
            )?,
            active_sessions: IntGauge::new("auth_active_sessions", "Sessions that have not ended")?,
        };
        registry.register(Box::new(metrics.operations.clone()))?;
        registry.register(Box::new(metrics.tokens.clone()))?;
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

    pub fn token(&self, kind: &'static str) {
        self.tokens.with_label_values(&[kind]).inc();
    }
}
