//! A process: its settings, logging, traces, health, counters, and an orderly start and stop.
//!
//! No HTTP, no database and no business rules: a program that serves nothing needs no web server. Start with
//! [`Platform::connect`].

mod command_docs;
mod command_line;
mod config;
mod env_file;
mod exit;
mod health;
mod healthcheck;
mod lifecycle;
mod limiter;
mod logging;
mod plaintext;
mod platform;
mod redis_tls;
mod signals;
mod tokens;
mod trace;
mod turns;

pub use command_line::parse;
pub use config::{Environment, ProcessConfig};
pub use exit::exit_code;
pub use health::{Health, Status};
pub use lifecycle::Lifecycle;
pub use limiter::Limiter;
pub use logging::init_logging;
pub use plaintext::{check_plaintext, is_private_name};
pub use platform::Platform;
pub use signals::stop_on_signals;
pub use tokens::Tokens;
pub use trace::{PROBE, describe_request, join_trace};
pub use turns::{Busy, Turn, Turns, TurnsConfig};
