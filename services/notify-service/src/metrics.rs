use anyhow::Result;
use chrono::{DateTime, Utc};
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};
use sea_orm::Iterable;

use crate::delivery::entity::{Model as Delivery, Status};
use crate::destination::entity::Model as Destination;
use crate::destination::target::Kind;
use crate::event::Event;

/// The metrics of this service. Labels are constants of the code, never text of a request.
#[derive(Clone)]
pub(crate) struct Metrics {
    deliveries: IntCounterVec,
    delay_seconds: Histogram,
    pub waiting: IntGauge,
    /// Age of the oldest delivery that is due.
    pub oldest_seconds: IntGauge,
    pub failing: IntGauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self> {
        let delay = HistogramOpts::new(
            "notify_delivery_delay_seconds",
            "Time from an event to its delivery, for destinations that receive events at once",
        );
        let buckets = vec![0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3_600.0];
        let metrics = Self {
            deliveries: IntCounterVec::new(
                Opts::new(
                    "notify_deliveries_total",
                    "Attempts to deliver by kind of destination and outcome",
                ),
                &["kind", "result"],
            )?,
            delay_seconds: Histogram::with_opts(delay.buckets(buckets))?,
            waiting: IntGauge::new("notify_deliveries_waiting", "Deliveries that wait")?,
            oldest_seconds: IntGauge::new(
                "notify_delivery_oldest_seconds",
                "Age of the oldest delivery that is due",
            )?,
            failing: IntGauge::new(
                "notify_destinations_failing",
                "Destinations whose deliveries fail again and again",
            )?,
        };
        registry.register(Box::new(metrics.deliveries.clone()))?;
        registry.register(Box::new(metrics.delay_seconds.clone()))?;
        for gauge in [&metrics.waiting, &metrics.oldest_seconds, &metrics.failing] {
            registry.register(Box::new(gauge.clone()))?;
        }
        // Present from the start, so that an alert sees the first delivery that is given up.
        for kind in Kind::iter() {
            for result in ["delivered", "retried", "given_up"] {
                metrics.deliveries.with_label_values(&[kind.into(), result]);
            }
        }
        Ok(metrics)
    }

    /// Counts a delivery that was given up without another attempt.
    pub(crate) fn expired(&self, kind: Kind) {
        self.deliveries.with_label_values(&[kind.into(), "given_up"]).inc();
    }

    pub(crate) fn attempted(
        &self,
        to: &Destination,
        rows: &[Delivery],
        events: &[Event],
        now: DateTime<Utc>,
    ) {
        for (row, event) in rows.iter().zip(events) {
            let result = match row.status {
                Status::Delivered => "delivered",
                Status::Pending => "retried",
                Status::Dead => "given_up",
            };
            self.deliveries.with_label_values(&[to.kind.into(), result]).inc();
            if row.status == Status::Delivered && !to.sends_digests() {
                let delay = (now - event.at).as_seconds_f64();
                self.delay_seconds.observe(delay.max(0.0));
            }
        }
    }
}
