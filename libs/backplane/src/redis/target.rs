//! The forms of `REDIS_URL`.

use redis::{ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use crate::{Error, Result};

const FORM: &str = "must be memory:, redis://[user:password@]host[:port][/database], \
                    redis+sentinel://[user:password@]host[:port],…/name[/database] \
                    or redis+cluster://[user:password@]host[:port],…; with rediss for TLS";
const SENTINEL_FORM: &str =
    "must name the primary as the Sentinels know it: redis+sentinel://host:26379,host2:26379/name";
const CLUSTER_FORM: &str =
    "must be redis+cluster://host:port,host2:port without a path: a cluster has one database";
const SENTINEL_PORT: u16 = 26379;

/// The servers that a URL names, and the way to the one that holds the keys.
pub(super) struct Target {
    pub form: Form,
    /// Never empty. Each has the credentials and the database of the URL.
    pub servers: Vec<ConnectionInfo>,
}

pub(super) enum Form {
    Single,
    Sentinel {
        primary: String,
        /// The credentials for the Sentinels.
        login: RedisConnectionInfo,
    },
    Cluster,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self> {
        let (form, urls) = split(url)?;
        let servers = urls.iter().map(|url| url.as_str().into_connection_info());
        // The cause may quote the URL, and with it a password.
        let servers = servers.collect::<redis::RedisResult<Vec<_>>>().map_err(|_error| Error::Url(FORM))?;
        if matches!(form, Form::Cluster) && servers.iter().any(|server| server.redis_settings().db() != 0) {
            return Err(Error::Url(CLUSTER_FORM));
        }
        Ok(Self { form, servers })
    }
}

/// Returns one URL for each server that `REDIS_URL` names, so that each can be checked; none for `memory:`.
///
/// # Errors
/// If the URL has none of the supported forms.
pub fn server_urls(url: &str) -> Result<Vec<String>> {
    if url.starts_with("memory:") { Ok(Vec::new()) } else { Ok(split(url)?.1) }
}

fn split(url: &str) -> Result<(Form, Vec<String>)> {
    let (scheme, rest) = url.split_once("://").ok_or(Error::Url(FORM))?;
    let Some((scheme, form)) = scheme.split_once('+').filter(|(_, form)| *form != "unix") else {
        return Ok((Form::Single, vec![url.to_owned()]));
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    match form {
        "sentinel" => {
            let (primary, database) = path.split_once('/').unwrap_or((path, ""));
            if primary.is_empty() {
                return Err(Error::Url(SENTINEL_FORM));
            }
            let hosts = hosts.split(',').map(|host| with_port(host, SENTINEL_PORT));
            let urls = hosts.map(|host| format!("{scheme}://{login}{host}/{database}")).collect();
            Ok((Form::Sentinel { primary: primary.into(), login: sentinel_login(query)? }, urls))
        }
        "cluster" => {
            if !path.is_empty() || !query.is_empty() {
                return Err(Error::Url(CLUSTER_FORM));
            }
            Ok((Form::Cluster, hosts.split(',').map(|host| format!("{scheme}://{login}{host}")).collect()))
        }
        _ => Err(Error::Url(FORM)),
    }
}

fn with_port(host: &str, port: u16) -> String {
    // The colons of an IPv6 address are inside brackets.
    let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

/// Reads `sentinel_user` and `sentinel_password`. Without them, the Sentinels need no password.
fn sentinel_login(query: &str) -> Result<RedisConnectionInfo> {
    let mut login = RedisConnectionInfo::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        login = match &*name {
            "sentinel_user" => login.set_username(value),
            "sentinel_password" => login.set_password(value),
            _ => return Err(Error::Url("knows only the parameters sentinel_user and sentinel_password")),
        };
    }
    Ok(login)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(url: &str) -> Vec<String> {
        Target::parse(url).unwrap().servers.iter().map(|server| server.addr().to_string()).collect()
    }

    #[test]
    fn every_form_names_its_servers() {
        assert_eq!(addresses("redis://host"), ["host:6379"]);
        assert_eq!(addresses("rediss://user:pass@host:1/2"), ["host:1"]);
        assert_eq!(addresses("valkey://host"), ["host:6379"]);
        assert_eq!(addresses("redis+unix:///run/redis.sock"), ["/run/redis.sock"]);
        assert_eq!(addresses("redis+cluster://a,b:7000,[::1]:7001"), ["a:6379", "b:7000", "::1:7001"]);
        assert_eq!(addresses("rediss+sentinel://u:p@a,b:1,[::1]/main/3"), ["a:26379", "b:1", "::1:26379"]);
    }

    #[test]
    fn credentials_and_database_hold_for_every_server() {
        let url = "redis+sentinel://user:p%40ss@a,b/main/3?sentinel_user=s&sentinel_password=x%26y";
        let Target { form, servers } = Target::parse(url).unwrap();
        for server in &servers {
            let settings = server.redis_settings();
            assert_eq!(
                (settings.username(), settings.password(), settings.db()),
                (Some("user"), Some("p@ss"), 3)
            );
        }
        let Form::Sentinel { primary, login } = form else { panic!("not a Sentinel") };
        assert_eq!((primary.as_str(), login.username(), login.password()), ("main", Some("s"), Some("x&y")));
        assert_eq!(
            server_urls("rediss+cluster://u:p@a,b:1").unwrap(),
            ["rediss://u:p@a", "rediss://u:p@b:1"]
        );
    }

    #[test]
    fn a_wrong_form_is_refused_without_showing_the_url() {
        for (url, part) in [
            ("hunter2", "must be memory:"),
            ("http://hunter2@host", "must be memory:"),
            ("redis+proxy://hunter2@host", "must be memory:"),
            ("redis+sentinel://hunter2@host", "must name the primary"),
            ("redis+sentinel://hunter2@host/", "must name the primary"),
            ("redis+sentinel://hunter2@host:many/main", "must be memory:"),
            ("redis+sentinel://hunter2@host/main/many", "must be memory:"),
            ("redis+sentinel://hunter2@host/main?password=hunter2", "knows only"),
            ("redis+sentinel://hunter2@/main", "must be memory:"),
            ("redis+cluster://hunter2@host,", "must be memory:"),
            ("redis+cluster://hunter2@host/1", "a cluster has one database"),
        ] {
            let Err(error) = Target::parse(url) else { panic!("{url} is accepted") };
            let text = error.to_string();
            assert!(text.starts_with("REDIS_URL") && text.contains(part), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
