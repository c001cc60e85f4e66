//! Protections other than switches: blocks, keys, lists of logs, versions of TLS, counts.

use super::{Effect, Names, has};
use crate::diff::Leaf;
use crate::json::Json;

const GONE: Effect = Effect::Widens("a protection was removed");
const WEAKER: Effect = Effect::Widens("a protection is weaker");
const STRONGER: Effect = Effect::Narrows("a protection is stronger");

/// Blocks and keys whose absence removes a protection, by the beginnings of their names.
const BLOCKS: [&[&str]; 15] = [
    &["logging"],
    &["access", "log"],
    &["access", "logs"],
    &["server", "side", "encryption"],
    &["encryption", "configuration"],
    &["encryption", "config"],
    &["encryption"],
    &["kms", "key", "id"],
    &["kms", "key", "arn"],
    &["kms", "key", "name"],
    &["kms", "master", "key", "id"],
    &["web", "acl"],
    &["object", "lock"],
    &["security", "policy"],
    &["permissions", "boundary"],
];
/// Numbers for which a larger value protects more.
const FLOORS: [&[&str]; 6] = [
    &["minimum", "password", "length"],
    &["password", "reuse", "prevention"],
    &["required", "approving", "review", "count"],
    &["soft", "delete", "retention", "days"],
    &["deletion", "window", "in", "days"],
    &["min", "length"],
];

pub(super) fn effect(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    removed_block(leaf)
        .or_else(|| logs(leaf, names))
        .or_else(|| tls(leaf, names))
        .or_else(|| floor(leaf, names))
}

/// Returns the effect of a block or key that was removed.
fn removed_block(leaf: &Leaf<'_>) -> Option<Effect> {
    leaf.node.upwards().find_map(|node| {
        let words = crate::words::words(node.key()?);
        let is_block = BLOCKS.iter().any(|block| {
            words.len() >= block.len()
                && words.len() <= block.len() + 2
                && words.iter().zip(*block).all(|(word, name)| word == name)
        });
        let is_switch =
            matches!(node.expected.value, Json::Bool(_)) || matches!(node.actual.value, Json::Bool(_));
        (is_block && !is_switch && !node.expected.value.is_empty() && node.actual.value.is_empty())
            .then_some(GONE)
    })
}

/// Returns the effect of a change in the kinds of logs that are written.
fn logs(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    let is_list = leaf.node.key().is_none();
    let is_logs = has(&names.attribute, &["log", "logs", "audit"])
        && names.attribute_has(&["types", "exports", "enabled", "categories"]);
    if !is_list || !is_logs {
        return None;
    }
    Some(if leaf.actual().is_empty() { WEAKER } else { STRONGER })
}

/// Returns the effect of a change of the lowest TLS version, or of a policy named after one.
fn tls(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    let is_version = (names.attribute_has(&["tls", "ssl"])
        && names.attribute_has(&["version", "policy", "min", "minimum"]))
        || names.attribute.starts_with(&["minimum".into(), "protocol".into()])
        || (names.attribute_name() == "security_policy"
            && names.type_has(&["domain", "gateway", "distribution"]));
    if !is_version {
        return None;
    }
    let version = |value: &Json| value.as_str().map(tls_version);
    match (version(leaf.expected()), version(leaf.actual())) {
        (Some(was), Some(is)) if is < was => Some(WEAKER),
        (Some(_), None) => Some(WEAKER),
        (Some(was), Some(is)) if is > was => Some(STRONGER),
        _ => None,
    }
}

/// Reads a TLS version: `TLSv1.2_2021`, `TLS1_2` and `1.2` are 12. A name without a version counts as oldest.
fn tls_version(text: &str) -> u32 {
    let digits: Vec<u32> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    let text = text.to_ascii_lowercase();
    match digits.as_slice() {
        _ if text.starts_with("elbsecuritypolicy") && !text.contains("tls") => 10,
        [1, minor, ..] if *minor < 10 => 10 + minor,
        // In `TLS13-1-2`, the first number is the newest version, and the second the oldest.
        [both @ (10..=13), 1, minor, ..] if *minor < 10 => (*both).min(10 + minor),
        [both @ (10..=13), ..] => *both,
        _ => 10,
    }
}

fn floor(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    let is_backup = has(&names.attribute, &["backup"]) && names.attribute_has(&["retention"]);
    let is_floor =
        FLOORS.iter().any(|floor| names.attribute.iter().map(String::as_str).eq(floor.iter().copied()));
    let (was, is) = (leaf.expected().as_f64()?, leaf.actual().as_f64().unwrap_or(0.0));
    if is_backup && is == 0.0 && was > 0.0 {
        return Some(GONE);
    }
    match is_floor {
        true if is < was => Some(WEAKER),
        true => Some(STRONGER),
        false => None,
    }
}
