use std::time::Duration;

use redis::AsyncConnectionConfig;

/// Time limit of every call. A slower Redis counts as unavailable.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the settings of every connection. `TIMEOUT` limits each call: the library's default response timeout is too
/// short for long appends.
pub(super) fn connection_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(None)
}
