//! Users, sessions and tokens.
//!
//! A password opens a session, which lives until it expires or is revoked. Every service verifies access
//! tokens in memory. Only this service verifies refresh tokens. Every change of a user or a session holds the
//! lock of the user's row and publishes its events through the outbox.
//!
//! Start with [`routes`] and `endpoints`, then [`locked_user`] and [`sessions`]. The rules are pure
//! functions: [`rotation`], [`lifetime`], [`refresh_token`].

pub mod access_token;
pub mod account_locks;
pub mod attempt;
pub mod audit;
pub mod caller;
pub mod config;
pub mod create_admin;
pub mod credentials;
pub mod demo;
pub mod device;
pub mod email;
pub mod endpoints;
pub mod entity;
pub mod error;
pub mod lifetime;
pub mod limit_settings;
pub mod limits;
pub mod locked_user;
pub mod metrics;
pub mod migration;
pub mod name;
pub mod networks;
pub mod openapi;
pub mod password;
pub mod refresh_delivery;
pub mod refresh_token;
pub mod refusals;
pub mod rotation;
pub mod service_tokens;
pub mod sessions;
pub mod settings;
pub mod sweeper;
pub mod turns;
pub mod user_admin;

mod state;

use actix_web::web::{Data, ServiceConfig};
use anyhow::Result;
use tokio_util::sync::CancellationToken;

pub use config::{Command, Config};
pub use openapi::openapi;
pub use settings::Settings;
pub use state::State;

/// The routes that Caddy exposes.
pub fn routes(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config.app_data(Data::new(state.clone()));
        for prefix in ["/api/auth", "/api/v1/auth"] {
            config.service(endpoints::scope(prefix));
        }
    }
}

/// Like [`routes`], and also without a prefix, for a service that runs alone on its port.
pub fn routes_alone(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let prefixed = routes(state);
    move |config| {
        prefixed(config);
        config.service(endpoints::scope(""));
    }
}

/// Publishes events and ends expired sessions until `stop`.
///
/// # Errors
/// If events cannot be published at all.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let sweeping = sweeper::run(state.clone(), stop.clone());
    let relaying = state.db.run_relay(&state.platform.metrics, "auth-service", stop);
    let (relayed, ()) = tokio::join!(relaying, sweeping);
    relayed
}
