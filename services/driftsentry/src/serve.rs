use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use auth_service::ShellCommand;
use contracts::Clock;
use database::Urls;
use http::{Http, Server};
use platform::Platform;
use url::Url;

use crate::banner;
use crate::cli::Serve;
use crate::console;
use crate::data_dir::DataDir;

const DEFAULT_METRICS_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// The settings with all defaults filled in.
struct Complete {
    serve: Serve,
    data: DataDir,
    /// Held as long as the process uses the SQLite files.
    lock: Option<File>,
    auth_database: ServiceDatabase,
    drift_database: ServiceDatabase,
    notify_database: ServiceDatabase,
}

/// The database of one service.
struct ServiceDatabase {
    url: String,
    migration: Option<String>,
}

impl ServiceDatabase {
    fn urls(&self) -> Urls<'_> {
        Urls { database: &self.url, migration: self.migration.as_deref() }
    }
}

/// Fills in missing settings: secrets and databases in the data folder and, outside development, a separate
/// address for `/metrics`, because strangers can reach the main port.
fn complete(mut serve: Serve) -> Result<Complete> {
    if serve.process.is_strict() {
        serve.http.metrics_listen.get_or_insert(DEFAULT_METRICS_LISTEN);
    }
    let data = DataDir::open(&serve.data_dir)?;
    for (secret, name) in [
        (&mut serve.auth.jwt_refresh_secret, "jwt_refresh"),
        (&mut serve.drift.drift_hash_secret, "drift_hash"),
        (&mut serve.notify.notify_secret, "notify"),
    ] {
        if secret.as_deref().unwrap_or_default().is_empty() {
            *secret = Some(data.secret(name)?);
        }
    }
    // Version 0.1.0 signed with a secret in the folder. Its service tokens stay valid.
    if serve.keys.keys_are_issued() && serve.keys.jwt_access_secret_previous.is_none() {
        serve.keys.jwt_access_secret_previous = data.existing_secret("jwt_access")?;
    }
    if !serve.process.is_strict() {
        let own = || format!("http://localhost:{}", serve.port);
        serve.auth.people.mail.public_url.get_or_insert_with(own);
    }
    if serve.port != 0 {
        let own = own_url(serve.http.host, serve.port);
        serve.notify.drift_service_url.get_or_insert(own);
    }
    let database = |service: &str| {
        let url = match &serve.database_url {
            Some(url) => postgres_schema("DATABASE_URL", url, service)?,
            None => data.sqlite_url(service),
        };
        let migration = serve.migration_database_url.as_deref();
        let migration =
            migration.map(|url| postgres_schema("MIGRATION_DATABASE_URL", url, service)).transpose()?;
        anyhow::Ok(ServiceDatabase { url, migration })
    };
    let (auth_database, drift_database) = (database("auth")?, database("drift")?);
    let notify_database = database("notify")?;
    let lock = if serve.database_url.is_none() { Some(data.share()?) } else { None };
    Ok(Complete { serve, data, lock, auth_database, drift_database, notify_database })
}

/// Returns the address at which the services of this process reach each other.
fn own_url(host: Option<IpAddr>, port: u16) -> String {
    let ip = match host.unwrap_or(Ipv4Addr::LOCALHOST.into()) {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, port))
}

fn platform(serve: &Serve) -> Result<Platform> {
    let channels = serve.gateway.channels()?;
    let (process, redis) = (serve.process.clone(), &serve.redis_url);
    Platform::connect("driftsentry", process, &serve.keys, redis, channels, Clock::system())
}

/// Runs a command of auth-service.
pub(crate) async fn run_in_auth(serve: Serve, command: ShellCommand) -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let Complete { serve, auth_database, lock: _lock, .. } = complete(serve)?;
    let state = auth_service::State::connect(platform(&serve)?, auth_database.urls(), serve.auth).await?;
    command.run(&state).await
}

/// The services that have a database.
pub(crate) struct Services {
    pub auth: auth_service::State,
    pub drift: drift_service::State,
    /// Held as long as the process uses the SQLite files.
    _lock: Option<File>,
}

/// Connects the services that have a database, for a command.
pub(crate) async fn connect(serve: Serve) -> Result<Services> {
    let Complete { serve, auth_database, drift_database, lock, .. } = complete(serve)?;
    let platform = platform(&serve)?;
    let auth = auth_service::State::connect(platform.clone(), auth_database.urls(), serve.auth).await?;
    let drift = drift_service::State::connect(platform, drift_database.urls(), serve.drift).await?;
    Ok(Services { auth, drift, _lock: lock })
}

/// Runs all services until a signal.
pub(crate) async fn run(serve: Serve) -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let Complete { serve, data, lock: _lock, auth_database, drift_database, notify_database } =
        complete(serve)?;
    let platform = platform(&serve)?;
    let http = Http::new(serve.http, &platform)?;
    let Serve { port, database_url, redis_url, auth, drift, notify, gateway, .. } = serve;
    let mail = auth.people.mail.clone();
    let auth = auth_service::State::connect(platform.clone(), auth_database.urls(), auth).await?;
    let drift = drift_service::State::connect(platform.clone(), drift_database.urls(), drift).await?;
    let notify =
        notify_service::State::connect(platform.clone(), notify_database.urls(), notify, &mail).await?;
    let gateway = ws_gateway::State::connect(platform.clone(), gateway)?;

    let has_redis = redis_url != "memory:";
    if !has_redis {
        let restoring = async {
            auth.database.restore_log().await?;
            drift.restore_log().await?;
            notify.restore_log().await
        };
        restoring.await.context("the event log cannot be restored")?;
    }
    platform.spawn(
        "auth-service",
        auth_service::run_background(auth.clone(), platform.lifecycle().served.clone()),
    );
    platform.spawn(
        "drift-service",
        drift_service::run_background(drift.clone(), platform.lifecycle().served.clone()),
    );
    platform.spawn(
        "notify-service",
        notify_service::run_background(notify.clone(), platform.lifecycle().served.clone()),
    );
    platform.spawn(
        "ws-gateway",
        ws_gateway::run_background(gateway.clone(), platform.lifecycle().served.clone()),
    );

    let mail = mail.is_enabled();
    let demo_users = auth.settings.makes_demo_users(platform.config());
    let routes = {
        let services = (
            auth_service::routes(auth),
            drift_service::routes(drift),
            notify_service::routes(notify),
            ws_gateway::routes(gateway),
        );
        move |config: &mut actix_web::web::ServiceConfig| {
            config
                .configure(&services.0)
                .configure(&services.1)
                .configure(&services.2)
                .configure(&services.3)
                .configure(console::routes);
        }
    };
    platform::stop_on_signals(&platform)?;
    let has_old_contract = platform.config().compat_routes;
    let server = Server::bind(platform, http, port, routes)?;
    banner::print(&banner::Start {
        address: server.address(),
        operations: server.operations_address(),
        data_dir: data.path(),
        postgres: database_url.is_some(),
        redis: has_redis,
        mail,
        demo_users,
        has_old_contract,
    });
    server.run().await
}

/// Returns the URL of the database with a separate schema for the service.
fn postgres_schema(variable: &str, url: &str, service: &str) -> Result<String> {
    let mut url = postgres_url(variable, url)?;
    url.query_pairs_mut().append_pair("schema", service);
    Ok(url.into())
}

/// Parses the URL of a database in which each service gets a schema.
pub(crate) fn postgres_url(variable: &str, url: &str) -> Result<Url> {
    let url = Url::parse(url)
        .with_context(|| format!("{variable} must be a URL such as postgres://user:password@host/name"))?;
    if !url.scheme().starts_with("postgres") {
        bail!("{variable} must be a postgres:// URL here; for SQLite, omit it and set DATA_DIR");
    }
    if url.query_pairs().any(|(name, _)| name == "schema") {
        bail!("{variable} must not name a schema here, because each service gets its own");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_reaches_itself_where_it_listens() {
        for (host, expected) in [
            (None, "http://127.0.0.1:3001"),
            (Some("0.0.0.0"), "http://127.0.0.1:3001"),
            (Some("::"), "http://[::1]:3001"),
            (Some("10.0.0.7"), "http://10.0.0.7:3001"),
        ] {
            let host = host.map(|host| host.parse().unwrap());
            assert_eq!(own_url(host, 3001), expected);
        }
    }

    #[test]
    fn services_share_a_postgres_in_schemas() {
        let url = postgres_schema("DATABASE_URL", "postgres://u:p@h:5432/db?sslmode=prefer", "auth").unwrap();
        assert_eq!(url, "postgres://u:p@h:5432/db?sslmode=prefer&schema=auth");
        for bad in ["sqlite://x.db", "nonsense", "postgres://h/db?schema=public"] {
            let error = postgres_schema("DATABASE_URL", bad, "auth").unwrap_err().to_string();
            assert!(error.contains("DATABASE_URL"), "{error}");
        }
    }
}
