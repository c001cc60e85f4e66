use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use contracts::{AUDIENCE, ISSUER};

/// A key shorter than the hash weakens HMAC-SHA-256 (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;
/// The longest duration of a setting, so that no time computed from it overflows.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Words in the secrets of example files, the old stack's and ours.
const SAMPLE_MARKS: [&str; 6] = ["change", "secret", "example", "sample", "default", "password"];

/// Keys that sign and verify access tokens.
#[derive(Args, Clone)]
pub struct KeyConfig {
    /// Secret that signs access tokens with HS256; at least 32 bytes outside development
    #[arg(long, env = "JWT_ACCESS_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub jwt_access_secret: Option<String>,

    /// Second secret, which verifies access tokens but signs none; needed while JWT_ACCESS_SECRET is rotated
    #[arg(long, env = "JWT_ACCESS_SECRET_PREVIOUS", hide_env_values = true, value_name = "SECRET")]
    pub jwt_access_secret_previous: Option<String>,

    /// Ed25519 private key (PEM) that signs access tokens; without it and JWT_ACCESS_SECRET, auth-service creates keys
    #[arg(long, env = "JWT_SIGNING_KEY_FILE", value_name = "FILE")]
    pub jwt_signing_key_file: Option<PathBuf>,

    /// Ed25519 public keys (PEM) that verify access tokens, comma-separated
    #[arg(long, env = "JWT_PUBLIC_KEY_FILES", value_delimiter = ',', value_name = "FILES")]
    pub jwt_public_key_files: Vec<PathBuf>,

    /// Issuer that access tokens name and must name
    #[arg(long, env = "JWT_ISSUER", default_value = ISSUER, value_name = "NAME")]
    pub jwt_issuer: String,

    /// Audience that access tokens name and must name
    #[arg(long, env = "JWT_AUDIENCE", default_value = AUDIENCE, value_name = "NAME")]
    pub jwt_audience: String,

    /// Lifetime of an access token, such as 15m
    #[arg(long, env = "JWT_ACCESS_EXPIRY", default_value = "15m", value_parser = parse_duration)]
    pub jwt_access_expiry: Duration,

    /// Accept tokens of the old stack, which name no session and cannot be revoked
    #[arg(long, env = "JWT_ACCEPT_LEGACY", default_value_t = false, action = clap::ArgAction::Set)]
    pub jwt_accept_legacy: bool,
}

impl KeyConfig {
    /// Whether auth-service creates the keys, because no variable names one that signs, or a public one.
    pub fn keys_are_issued(&self) -> bool {
        self.jwt_access_secret.as_deref().unwrap_or_default().is_empty()
            && self.jwt_signing_key_file.is_none()
            && self.jwt_public_key_files.is_empty()
    }
}

/// A key that cannot be used. Names the variable, never the value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("{0} has fewer than 32 bytes: set it to at least 32 random bytes")]
    Short(&'static str),
    #[error("{0} is a sample value: set it to at least 32 random bytes")]
    Sample(&'static str),
    #[error("{variable} names {path}, which is not an Ed25519 key in PEM: {reason}")]
    File { variable: &'static str, path: String, reason: String },
}

/// Parses a duration such as `15m`. Zero is refused: a lifetime of zero would end every session at once, and
/// an interval of zero would keep the process busy.
///
/// # Errors
/// If `text` is not a duration, or is zero or more than ten years.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() || duration > LONGEST {
        return Err("must be more than 0 and at most 10 years".into());
    }
    Ok(duration)
}

/// Refuses a secret that is known or easy to guess.
///
/// # Errors
/// If `secret` is short or looks like one from an example; the message names `variable`.
pub fn check_secret(variable: &'static str, secret: &str) -> Result<(), KeyError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(KeyError::Short(variable));
    }
    let lower = secret.to_ascii_lowercase();
    let mut letters = secret.bytes().collect::<Vec<_>>();
    letters.sort_unstable();
    letters.dedup();
    // A random secret of 32 bytes has more than eight different characters in any encoding.
    if letters.len() < 9 || SAMPLE_MARKS.iter().any(|mark| lower.contains(mark)) {
        return Err(KeyError::Sample(variable));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_more_than_nothing_and_at_most_ten_years() {
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        for refused in ["0s", "0ms", "11years", "15", "soon", ""] {
            assert!(parse_duration(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn weak_secrets_are_refused_by_name() {
        let refused = |secret: &str| check_secret("JWT_ACCESS_SECRET", secret).unwrap_err().to_string();
        assert!(refused("short").contains("JWT_ACCESS_SECRET"));
        assert!(!refused("hunter2").contains("hunter2"));
        assert!(refused("your-super-secret-jwt-key-change-in-production").contains("sample"));
        assert!(refused(&"ab".repeat(20)).contains("sample"));
        assert_eq!(check_secret("X", "q8Xw2mTz5vLk9Rb3Nc7Yp1Hd6Gf4Js0A"), Ok(()));
    }
}
