//! The errors of Redis, and the reasons that they mean.

use redis::RedisError;

use crate::condition::{NO_PERMISSION, OTHER_REFUSAL};

/// Whether the connection leads to a server that cannot serve, while another server may: after a failover, a slot
/// move or a restart.
pub(super) fn is_wrong_server(error: &RedisError) -> bool {
    let codes =
        ["READONLY", "MOVED", "LOADING", "MASTERDOWN", "NOAUTH", "WRONGPASS", "CLUSTERDOWN", "UNKILLABLE"];
    codes_of(error).iter().any(|code| codes.contains(&code.as_str()))
}

/// Returns the codes of all commands of the exchange that were refused.
fn codes_of(error: &RedisError) -> Vec<String> {
    let refused = error.clone().into_server_errors();
    let refused = refused.iter().flat_map(|errors| errors.iter()).map(|(_, error)| error.code().to_owned());
    let mut codes = refused.collect::<Vec<_>>();
    codes.extend(error.code().map(Into::into));
    codes
}

/// Returns the reason for the state: a fixed text that contains no secret.
pub(super) fn reason(error: &RedisError) -> &'static str {
    match codes_of(error).first().map(String::as_str) {
        Some("ASK" | "TRYAGAIN" | "MOVED") => "Redis is moving its keys",
        Some("CLUSTERDOWN") => "the cluster of Redis is not complete",
        Some("READONLY") => "Redis is read-only",
        Some("OOM") => "Redis is out of memory",
        Some("MISCONF") => "Redis cannot save its data",
        Some("NOREPLICAS") => "Redis lacks replicas",
        Some("LOADING") => "Redis is loading its data",
        Some("MASTERDOWN") => "Redis has lost its primary",
        Some("NOAUTH" | "WRONGPASS") => "Redis refuses the password",
        Some("NOPERM") => NO_PERMISSION,
        Some(_) => OTHER_REFUSAL,
        None => "Redis cannot be reached",
    }
}
