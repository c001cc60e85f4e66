//! Secret names: names that indicate that their value is a secret.

use super::name_words::{ABOUT, ANYWHERE, MODES, PAIRS, WORDS};
use crate::words::words;

/// Whether the name of a key shows that its value is a secret.
pub(super) fn is_secret_name(key: &str) -> bool {
    let words = words(key);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) && !is_url_of_secret(&words) {
        return false;
    }
    let is_public = words.iter().any(|word| word == "public");
    let joined = words.concat();
    if is_public && !["secret", "password", "token"].iter().any(|name| joined.contains(name)) {
        return false;
    }
    ANYWHERE.iter().any(|name| joined.contains(name) && !is_url(&words, name))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
        || words.windows(2).any(|two| PAIRS.contains(&(two[0].as_str(), two[1].as_str())))
        || ends_like_password(last)
}

/// Whether the name is `webhook_url` or similar: such a URL is itself a secret.
fn is_url_of_secret(words: &[String]) -> bool {
    let joined = words.concat();
    ["webhookurl", "webhookuri", "databaseurl", "sasurl"].iter().any(|name| joined.ends_with(name))
}

/// Whether the name is that of a URL for issuing tokens, which is not a secret.
fn is_url(words: &[String], name: &str) -> bool {
    let ends_with_url =
        words.last().is_some_and(|last| matches!(last.as_str(), "url" | "uri" | "urls" | "uris"));
    ends_with_url && matches!(name, "token" | "credential" | "secret")
}

/// Whether a word ends in an abbreviation for a password: `dbpwd`, `mysqlpass`.
fn ends_like_password(word: &str) -> bool {
    const OTHERS: [&str; 6] = ["bypass", "compass", "surpass", "encompass", "trespass", "overpass"];
    word.ends_with("pwd") || (word.ends_with("pass") && !OTHERS.contains(&word))
}

/// Whether a text under a secret name is not a secret after all: a mode, or a reference to the place of the
/// secret.
pub(super) fn is_plain_value(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.is_empty() || MODES.contains(&lower.as_str()) || is_reference(&lower)
}

fn is_reference(lower: &str) -> bool {
    ["arn:", "projects/", "/subscriptions/", "@microsoft.keyvault(", "{{resolve:", "https://kms."]
        .iter()
        .any(|start| lower.starts_with(start))
        || (lower.starts_with("https://") && lower.contains(".vault.azure.net/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_found_in_any_case_and_spelling() {
        for name in [
            "password",
            "dbPasswd",
            "DB-PASSWORD",
            "PGPASSWORD",
            "pwd",
            "dbpwd",
            "db_pass",
            "mysqlpass",
            "passcode",
            "api_key",
            "apiKey",
            "private.key",
            "private_key_pem",
            "client_key",
            "kube_config",
            "kube_config_raw",
            "preshared_key",
            "pre_shared_key",
            "psk",
            "primary_key",
            "secondary_access_key",
            "shared_key",
            "account_key",
            "signing_key",
            "encryption_key",
            "master_key",
            "license_key",
            "integration_key",
            "webhook_url",
            "WebhookUrl",
            "dsn",
            "SENTRY_DSN",
            "database_url",
            "DATABASE_URL",
            "authorization",
            "Authorization",
            "cookie",
            "sas_url",
            "sasl_jaas_config",
            "otp",
            "custom_data",
            "startup-script",
            "metadata_startup_script",
            "user_data",
            "connection string",
            "AWS_SECRET_ACCESS_KEY",
            "secrets",
            "tls.key",
            "primary_connection_string",
            "password_hash",
            "ssh_key",
            "access_tokens",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_describe_secrets_are_not_secret() {
        for name in [
            "secret_arn",
            "secret_name",
            "secret_id",
            "password_length",
            "minimum_password_length",
            "token_ttl",
            "password_policy",
            "secret_version",
            "secrets_enabled",
            "token_endpoint",
            "token_url",
            "public_key",
            "key_name",
            "kms_key_id",
            "max_password_age",
            "password_reuse_prevention",
            "tags",
            "compass",
            "bypass",
            "passenger",
            "key",
            "value",
            "name",
            "secret_key_ref",
            "ssh_public_key",
            "token_type",
            "spin",
            "spinnaker",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
