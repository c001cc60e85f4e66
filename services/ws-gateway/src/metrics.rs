use std::array::from_fn;

use chrono::TimeDelta;
use contracts::Sampler;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};
use strum::{EnumCount, EnumIter, IntoEnumIterator, IntoStaticStr};
use uuid::Uuid;

use crate::protocol::Ending;

/// The reason why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumCount, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub(crate) enum Dropped {
    /// Not an envelope, a payload that is not JSON, or a place in a log that was lost.
    Malformed,
    /// A payload that does not fit the schema of its route.
    Schema,
    /// An event with a reserved name.
    Reserved,
    /// An event or a request over its limit.
    TooLarge,
    /// Messages without a position that came faster than they could be relayed.
    Overflow,
    /// A message of a client over the rate limit.
    RateLimit,
    /// Events queued for a client that did not read.
    Slow,
    /// Events queued for a client whose connection broke.
    ConnectionLost,
}

/// The metrics of the gateway. Labels are bounded: codes, routes of the catalogue, transports.
pub(crate) struct Metrics {
    pub connections: IntGauge,
    connects: IntCounterVec,
    disconnects: IntCounterVec,
    sent: IntCounterVec,
    dropped: IntCounterVec,
    drop_lines: [Sampler; Dropped::COUNT],
    auth_failures: IntCounterVec,
    resumes: IntCounterVec,
    delivery_lag: Histogram,
    revocation: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, label: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counter = IntCounterVec::new(Opts::new(name, help), label)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let histogram = |name: &str, help: &str| -> prometheus::Result<Histogram> {
            let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
            let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?;
            registry.register(Box::new(histogram.clone()))?;
            Ok(histogram)
        };
        let connections = IntGauge::new("ws_connections", "Authorized sockets")?;
        registry.register(Box::new(connections.clone()))?;
        let dropped = counter("ws_messages_dropped_total", "Messages not passed on", &["reason"])?;
        // Each series starts at zero, because a rate misses the first event of a series that starts at one.
        for reason in Dropped::iter() {
            dropped.with_label_values(&[reason.into_str()]);
        }
        Ok(Self {
            connections,
            connects: counter("ws_connects_total", "Sockets let in or refused", &["transport", "result"])?,
            disconnects: counter("ws_disconnects_total", "Connections ended, by close code", &["code"])?,
            sent: counter("ws_messages_sent_total", "Events delivered to sockets, by route", &["type"])?,
            dropped,
            drop_lines: from_fn(|_| Sampler::new()),
            auth_failures: counter("ws_auth_failures_total", "Refused authentications", &["reason"])?,
            resumes: counter("ws_resumes_total", "Clients that resumed, by result", &["result"])?,
            delivery_lag: histogram("ws_delivery_lag_seconds", "From an event's publication to its sockets")?,
            revocation: histogram("ws_revocation_seconds", "From a session's end to the end of its sockets")?,
        })
    }

    pub(crate) fn connected(&self, transport: &str, result: &str) {
        self.connects.with_label_values(&[transport, result]).inc();
    }

    pub(crate) fn disconnected(&self, ending: Ending) {
        self.disconnects.with_label_values(&[&ending.code().to_string()]).inc();
    }

    pub(crate) fn sent(&self, route: &str, count: u64) {
        self.sent.with_label_values(&[route]).inc_by(count);
    }

    pub(crate) fn dropped(&self, reason: Dropped, count: u64) {
        if count > 0 {
            self.dropped.with_label_values(&[reason.into_str()]).inc_by(count);
        }
    }

    /// Counts a message from the backplane that is not relayed, and logs samples.
    pub(crate) fn dropped_event(&self, reason: Dropped, channel: &str, event_id: Option<Uuid>, detail: &str) {
        self.dropped(reason, 1);
        if let Some(left_out) = self.drop_lines[reason as usize].admit() {
            let (reason, event_id) = (reason.into_str(), event_id.map(tracing::field::display));
            tracing::warn!(channel, event_id, reason, detail, left_out, "dropped an event");
        }
    }

    pub(crate) fn auth_failed(&self, reason: &str) {
        self.auth_failures.with_label_values(&[reason]).inc();
    }

    pub(crate) fn resumed(&self, result: &str) {
        self.resumes.with_label_values(&[result]).inc();
    }

    pub(crate) fn delivery_lag(&self, lag: TimeDelta) {
        self.delivery_lag.observe(seconds(lag));
    }

    pub(crate) fn revocation(&self, lag: TimeDelta) {
        self.revocation.observe(seconds(lag));
    }
}

/// Converts to seconds. A negative lag, which two machines with different clocks can produce, becomes 0.
fn seconds(lag: TimeDelta) -> f64 {
    lag.to_std().unwrap_or_default().as_secs_f64()
}
