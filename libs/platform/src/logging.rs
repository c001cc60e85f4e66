use std::io::IsTerminal;

use anyhow::Result;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::trace;

/// Silences the startup messages of libraries, which do not help an operator, and `actix_http`, which
/// reports a client's malformed request as an error.
const DEFAULT_FILTER: &str =
    "info,sea_orm_migration=warn,actix_server=warn,actix_http=off,sqlx::postgres::notice=warn";

/// Sends the log to standard error: readable text on a terminal, JSON elsewhere, unless `LOG_FORMAT` selects
/// one. `RUST_LOG` filters; the default is `info`, and less for libraries. Spans go to the collector at
/// `OTEL_EXPORTER_OTLP_ENDPOINT`, if that is set, under the name of `service`.
///
/// # Errors
/// If the endpoint is not a URL.
pub fn init_logging(service: &'static str) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let json = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("pretty") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines =
        if json { lines.json().flatten_event(true).boxed() } else { lines.with_target(false).boxed() };
    let exporter = trace::exporter(service)?;
    // An error means that a test has already set up logging.
    let _ = tracing_subscriber::registry().with(exporter).with(lines.with_filter(filter)).try_init();
    Ok(())
}
