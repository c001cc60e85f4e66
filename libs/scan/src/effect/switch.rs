//! Attributes with a safe value: booleans, and words that act like booleans.

use super::{Effect, Names, has};
use crate::diff::Leaf;
use crate::json::Json;

const EXPOSED: Effect = Effect::Widens("more exposed");
const HIDDEN: Effect = Effect::Narrows("less exposed");
const WEAKER: Effect = Effect::Widens("a protection is off");
const STRONGER: Effect = Effect::Narrows("a protection is on");

/// Words in the names of switches that expose something when on.
const EXPOSING: [&str; 15] = [
    "public",
    "publicly",
    "internet",
    "anonymous",
    "unauthenticated",
    "privileged",
    "escalation",
    "insecure",
    "unencrypted",
    "pushes",
    "plaintext",
    "skip",
    "bypass",
    "pull",
    "impersonation",
];
const EXPOSING_NAMES: [&str; 14] = [
    "ipv4_enabled",
    "host_network",
    "host_pid",
    "host_ipc",
    "admin_enabled",
    "admin_user_enabled",
    "shared_access_key_enabled",
    "allow_deletions",
    "allow_blob_public_access",
    "kubernetes_dashboard_enabled",
    "enable_legacy_abac",
    "legacy_abac",
    "http_enabled",
    "allow_users_to_change_password_never",
];
/// Words in the names of switches that protect something when on.
const PROTECTING: [&str; 38] = [
    "protection",
    "protected",
    "encrypt",
    "encrypted",
    "encryption",
    "mfa",
    "logging",
    "logs",
    "audit",
    "auditing",
    "private",
    "enforce",
    "enforced",
    "enforces",
    "require",
    "required",
    "requires",
    "ssl",
    "tls",
    "https",
    "rotation",
    "secure",
    "uniform",
    "rbac",
    "waf",
    "firewall",
    "shielded",
    "integrity",
    "purge",
    "immutable",
    "internal",
    "2fa",
    "signing",
    "scanning",
    "scan",
    "guardrail",
    "quarantine",
    "nonroot",
];
const PROTECTING_NAMES: [&str; 12] = [
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
    "read_only_root_filesystem",
    "run_as_non_root",
    "role_based_access_control_enabled",
    "enable_log_file_validation",
    "is_multi_region_trail",
    "network_policy_enabled",
    "soft_delete_enabled",
    "point_in_time_recovery_enabled",
];
/// Risks that a `disable_…` switch removes.
const RISKS: [&str; 9] =
    ["termination", "password", "local", "public", "anonymous", "legacy", "stop", "deletion", "destroy"];

/// Values from the safe end to the open end, by the names of their attributes.
const SCALES: [(&[&str], &[&[&str]]); 14] = [
    (
        &["acl", "predefined_acl", "default_acl"],
        &[
            &[
                "private",
                "bucket-owner-full-control",
                "bucket-owner-read",
                "projectprivate",
                "log-delivery-write",
            ],
            &["aws-exec-read", "authenticated-read", "authenticatedread"],
            &["public-read", "publicread"],
            &["public-read-write", "publicreadwrite"],
        ],
    ),
    (&["container_access_type", "public_access"], &[&["private", "none"], &["blob"], &["container"]]),
    (&["public_access_prevention"], &[&["enforced"], &["inherited", "unspecified"]]),
    (&["default_action", "network_default_action"], &[&["deny", "block"], &["allow"]]),
    (&["access", "action", "rule_action", "effect"], &[&["deny", "block", "denied"], &["allow", "allowed"]]),
    (&["http_tokens"], &[&["required"], &["optional"]]),
    (
        &["ingress", "ingress_settings"],
        &[
            &["internal", "allow_internal_only", "ingress_traffic_internal_only"],
            &[
                "internal-and-cloud-load-balancing",
                "allow_internal_and_gclb",
                "ingress_traffic_internal_load_balancer",
            ],
            &["all", "allow_all", "ingress_traffic_all"],
        ],
    ),
    (
        &["authorization", "authorization_type", "auth_type", "authentication_type"],
        &[
            &[
                "aws_iam",
                "iam",
                "custom",
                "cognito_user_pools",
                "jwt",
                "oauth",
                "required",
                "amazon_cognito_user_pools",
            ],
            &["api_key"],
            &["none", "anonymous", "no_auth"],
        ],
    ),
    (&["visibility", "repository_visibility"], &[&["private"], &["internal"], &["public"]]),
    (
        &["scheme", "load_balancing_scheme", "lb_scheme"],
        &[&["internal", "internal_managed"], &["internet-facing", "external", "external_managed"]],
    ),
    (
        &["sse_algorithm", "encryption_type"],
        &[&["aws:kms:dsse"], &["aws:kms", "kms"], &["aes256", "sse-s3"], &["none"]],
    ),
    (
        &["ssl_mode", "sslmode", "tls_mode", "client_certificate_mode", "ssl_enforcement"],
        &[
            &["trusted_client_certificate_required", "verify-full", "strict", "required", "mutual_tls"],
            &["encrypted_only", "verify-ca", "require", "enabled"],
            &["prefer", "allow", "optional", "permissive", "optional_interactive_user"],
            &["allow_unencrypted_and_encrypted", "disable", "disabled", "off", "none"],
        ],
    ),
    (&["client_broker", "in_cluster_encryption"], &[&["tls"], &["tls_plaintext"], &["plaintext"]]),
    (&["endpoint_type", "endpoint_types"], &[&["private", "vpc"], &["regional", "edge", "public"]]),
];

pub(super) fn effect(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    let (was, is) = (leaf.expected(), leaf.actual());
    if let Some(effect) = on_scale(&names.attribute_name(), was, is) {
        return Some(effect);
    }
    let turned_on = match (state(was), state(is)) {
        (Some(false) | None, Some(true)) => true,
        (Some(true), Some(false)) => false,
        (Some(true), None) if is.is_empty() => false,
        // The earlier value is unknown.
        (None, Some(false)) if was.is_empty() => return None,
        _ => return None,
    };
    match polarity(names)? {
        Polarity::Exposes => Some(if turned_on { EXPOSED } else { HIDDEN }),
        Polarity::Protects => Some(if turned_on { STRONGER } else { WEAKER }),
    }
}

fn on_scale(name: &str, was: &Json, is: &Json) -> Option<Effect> {
    let (_, scale) = SCALES.iter().find(|(names, _)| names.contains(&name))?;
    let rank = |value: &Json| {
        let word = value.as_str()?.to_ascii_lowercase();
        scale.iter().position(|words| words.contains(&word.as_str()))
    };
    let is = rank(is)?;
    let was = rank(was).unwrap_or(0);
    match is.cmp(&was) {
        std::cmp::Ordering::Greater => Some(EXPOSED),
        std::cmp::Ordering::Less => Some(HIDDEN),
        std::cmp::Ordering::Equal => None,
    }
}

/// Whether a value means on or off.
pub(super) fn state(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(value) => Some(*value),
        Json::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "enabled" | "enable" | "on" | "yes" | "required" | "require" | "enforced" | "active" => {
                Some(true)
            }
            "false" | "disabled" | "disable" | "off" | "no" | "optional" | "none" | "inactive"
            | "suspended" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

enum Polarity {
    Exposes,
    Protects,
}

fn polarity(names: &Names) -> Option<Polarity> {
    use Polarity::{Exposes, Protects};
    let name = names.attribute_name();
    // In `deletion_protection { enabled }`, a generic name gets its meaning from the block.
    let is_plain = matches!(name.as_str(), "enabled" | "enable" | "status" | "state" | "mode" | "is_enabled");
    let words = match (is_plain, names.path.len().checked_sub(2)) {
        (true, Some(above)) => &names.path[above],
        _ => &names.attribute,
    };
    let inverts = has(words, &["disable", "disabled", "disables"]);
    let listed = |listed: &[&str]| listed.contains(&name.as_str());
    if inverts {
        return match (has(words, &PROTECTING) && !has(words, &RISKS), has(words, &RISKS)) {
            (true, _) => Some(Exposes),
            (_, true) => Some(Protects),
            _ => None,
        };
    }
    if listed(&PROTECTING_NAMES) || has(words, &["block", "restrict", "ignore", "prevent"]) {
        Some(Protects)
    } else if listed(&EXPOSING_NAMES) {
        Some(Exposes)
    } else if has(words, &PROTECTING) && !has(words, &["public", "allow", "skip", "bypass"]) {
        Some(Protects)
    } else if has(words, &EXPOSING) {
        Some(Exposes)
    } else {
        None
    }
}
