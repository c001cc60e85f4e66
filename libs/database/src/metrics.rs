use prometheus::{IntGauge, Opts, Registry};

/// Gauges of the events that wait to be published.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) pending: IntGauge,
    pub(crate) oldest_seconds: IntGauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry, service: &str) -> prometheus::Result<Self> {
        let gauge = |name, help| {
            let gauge = IntGauge::with_opts(Opts::new(name, help).const_label("service", service))?;
            registry.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        Ok(Self {
            pending: gauge("outbox_pending", "Committed events that are not published yet")?,
            oldest_seconds: gauge("outbox_oldest_seconds", "Age of the oldest unpublished event")?,
        })
    }
}
