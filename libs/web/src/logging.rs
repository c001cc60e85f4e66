use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What the libraries say at their start is of no use to an operator.
const DEFAULT_FILTER: &str = "info,sea_orm_migration=warn,actix_server=warn,sqlx::postgres::notice=warn";

/// Sends the log to standard error: for people on a terminal, as JSON elsewhere (`LOG_FORMAT` decides
/// otherwise). `RUST_LOG` filters; the default is `info`, less for libraries.
pub fn init_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let json = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("pretty") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    // An error means that a test has set one up before.
    let _ = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
}
