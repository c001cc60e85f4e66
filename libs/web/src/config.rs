use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_web::http::header::HeaderName;
use anyhow::{Context, Result};
use clap::{Args, Command, Parser, ValueEnum};
use ipnet::IpNet;

use crate::origin;

const HEALTHCHECK: &str = "healthcheck";
const DEVELOPMENT_ORIGIN: &str = "http://localhost:3000";

/// The environment that a process runs in. Outside development, unsafe settings are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    Development,
    Test,
    Staging,
    Production,
}

/// The settings that every service needs to serve HTTP.
#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// Environment of the deployment; outside development, weak secrets and insecure cookies are refused
    #[arg(long = "environment", env = "APP_ENV", value_enum, default_value = "development")]
    pub environment: Environment,

    /// Address to listen on; the default is 127.0.0.1 in development and 0.0.0.0 elsewhere
    #[arg(long, env = "HOST")]
    pub host: Option<IpAddr>,

    /// Origins whose pages may call the API, including the console's, comma-separated and exact, such as https://app.example.com; the default is http://localhost:3000 in development and none elsewhere
    #[arg(long, env = "CORS_ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<String>,

    /// Further request headers that pages of other origins may send, comma-separated
    #[arg(long, env = "CORS_HEADERS", value_delimiter = ',')]
    pub cors_headers: Vec<HeaderName>,

    /// Networks of proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,

    /// Seconds within which the body of a request must arrive; a scan may take longer, at 64 KiB per second
    #[arg(long, env = "REQUEST_BODY_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub request_body_seconds: u64,

    /// Address and port for /metrics and for /health in detail, such as 127.0.0.1:9464; the main port then reports only whether the process is up
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Allow connections without TLS to databases and Redis at public addresses, outside development
    #[arg(long, env = "ALLOW_PLAINTEXT", default_value_t = false, action = clap::ArgAction::Set)]
    pub allow_plaintext: bool,

    /// Number of worker threads; the default is the number of cores
    #[arg(long, env = "WORKERS")]
    pub workers: Option<usize>,

    /// Seconds that a stopping process waits for its requests and sockets
    #[arg(long, env = "SHUTDOWN_SECONDS", default_value_t = 30)]
    pub shutdown_seconds: u64,
}

impl HttpConfig {
    /// Whether unsafe settings must be refused.
    pub fn is_strict(&self) -> bool {
        !matches!(self.environment, Environment::Development | Environment::Test)
    }

    /// Fills in the defaults that depend on the environment, and checks the other settings.
    ///
    /// If a setting is unsafe or malformed: one sentence that names the variable.
    pub fn resolve(&mut self) -> Result<()> {
        if self.cors_origin.is_empty() && !self.is_strict() {
            self.cors_origin.push(DEVELOPMENT_ORIGIN.into());
        }
        self.cors_origin.retain(|origin| !origin.is_empty());
        for origin in &mut self.cors_origin {
            *origin = origin::normalize(origin).with_context(|| {
                format!("CORS_ORIGIN lists {origin:?}: give exact origins such as https://app.example.com, without a path, a trailing slash or a wildcard")
            })?;
        }
        Ok(())
    }

    /// Returns the address to listen on.
    pub fn address(&self) -> IpAddr {
        let default = if self.is_strict() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        self.host.unwrap_or(default.into())
    }

    pub(crate) fn body_time(&self) -> Duration {
        Duration::from_secs(self.request_body_seconds)
    }
}

/// Parses the command line and the environment of a process. Prints help or an error and exits if
/// needed. Every process also has the command `healthcheck`.
///
/// Variables of the old stack are accepted as well: `NODE_ENV` for `APP_ENV`, and `REDIS_HOST`,
/// `REDIS_PORT` and `REDIS_PASSWORD` for `REDIS_URL`.
pub fn parse<C: Parser>() -> C {
    let mut arguments = std::env::args_os().collect::<Vec<OsString>>();
    let stand_ins = old_names(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let at = arguments.len().min(1);
    arguments.splice(at..at, stand_ins.into_iter().map(Into::into));
    let healthcheck =
        Command::new(HEALTHCHECK).about("Ask the process on PORT whether it is ready; exit 0 if it is");
    let command = C::command().subcommand(healthcheck).subcommand_negates_reqs(true).args_override_self(true);
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| {
        if matches.subcommand_name() == Some(HEALTHCHECK) {
            let port = matches.get_one("port").copied().unwrap_or_default();
            exit(crate::healthcheck::healthcheck(port).map_err(|error| format!("{error:#}")));
        }
        C::from_arg_matches(&matches)
    });
    parsed.unwrap_or_else(|error| {
        // Exits with 1 instead of clap's 2, which `driftsentry ingest` uses for new drift.
        let failed = error.use_stderr();
        let _ = error.print();
        std::process::exit(i32::from(failed))
    })
}

#[expect(clippy::print_stderr, reason = "there is no log yet, and the person who runs the check reads this")]
fn exit(outcome: Result<(), String>) -> ! {
    if let Err(message) = &outcome {
        eprintln!("{message}");
    }
    std::process::exit(i32::from(outcome.is_err()))
}

fn old_names(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut arguments = Vec::new();
    if let (None, Some(environment)) = (variable("APP_ENV"), variable("NODE_ENV")) {
        arguments.push(format!("--environment={environment}"));
    }
    if let (None, Some(host)) = (variable("REDIS_URL"), variable("REDIS_HOST")) {
        let port = variable("REDIS_PORT").unwrap_or_else(|| "6379".into());
        let password = variable("REDIS_PASSWORD").map(|password| {
            format!(":{}@", form_urlencoded::byte_serialize(password.as_bytes()).collect::<String>())
        });
        arguments.push(format!("--redis-url=redis://{}{host}:{port}", password.unwrap_or_default()));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_old_stack_are_accepted() {
        let with = |set: &[(&str, &str)]| {
            old_names(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[("NODE_ENV", "production")]), ["--environment=production"]);
        assert!(with(&[("NODE_ENV", "production"), ("APP_ENV", "test")]).is_empty());
        let redis = with(&[("REDIS_HOST", "cache"), ("REDIS_PASSWORD", "p@ss/1")]);
        assert_eq!(redis, ["--redis-url=redis://:p%40ss%2F1@cache:6379"]);
        assert!(with(&[("REDIS_HOST", "cache"), ("REDIS_URL", "redis://x")]).is_empty());
    }
}
