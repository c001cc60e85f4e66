//! Network access: address ranges, ports and protocols of rules, and lists of admitted networks.

use super::ranges::Range;
use super::{Effect, Names};
use crate::diff::{Leaf, Node};
use crate::json::Json;

const OPENED: Effect = Effect::Widens("network access is wider");
const CLOSED: Effect = Effect::Narrows("network access is narrower");

const RANGE_WORDS: [&str; 19] = [
    "cidr",
    "cidrs",
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "range",
    "ranges",
    "address",
    "addresses",
    "prefix",
    "prefixes",
    "source",
    "sources",
    "networks",
    "network",
    "whitelist",
    "allowlist",
    "authorized",
];
/// Keys above a list of networks, or of rules, that are admitted.
const ACCESS_KEYS: [&str; 20] = [
    "ingress",
    "egress",
    "source",
    "sources",
    "authorized",
    "allowed",
    "allow",
    "trusted",
    "whitelist",
    "whitelisted",
    "allowlist",
    "firewall",
    "inbound",
    "outbound",
    "access",
    "security",
    "acl",
    "acls",
    "rules",
    "restrictions",
];
const ACCESS_TYPES: [&str; 10] =
    ["security", "firewall", "acl", "nsg", "rule", "ingress", "egress", "whitelist", "allowlist", "access"];
/// Lists that admit everyone when they are empty.
const ALLOW_LISTS: [&str; 7] =
    ["authorized", "allowed", "trusted", "whitelist", "whitelisted", "allowlist", "access"];
const PORTS: [&str; 12] = [
    "from_port",
    "to_port",
    "port",
    "ports",
    "port_range",
    "port_ranges",
    "destination_port_range",
    "destination_port_ranges",
    "protocol",
    "ip_protocol",
    "port_range_min",
    "port_range_max",
];
/// Keys above a list of denied networks. `cidr_block` is not one of them.
const DENYING_KEYS: [&str; 6] = ["deny", "denied", "blocked", "blacklist", "blocklist", "denylist"];
/// Words by which a rule denies traffic.
const DENIALS: [&str; 7] = ["deny", "denied", "block", "blocked", "blacklist", "blocklist", "denylist"];

pub(super) fn effect(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    let effect = in_ranges(leaf, names).or_else(|| in_rule(leaf, names))?;
    Some(if denies(leaf, names) { effect.flipped() } else { effect })
}

fn is_access(names: &Names) -> bool {
    names.path_has(&ACCESS_KEYS) || names.type_has(&ACCESS_TYPES)
}

fn in_ranges(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    // "alias" attributes, such as those of Route 53, contain no ranges.
    let is_access = is_access(names);
    let is_range = names.attribute_has(&RANGE_WORDS) && is_access;
    let came = Range::read_all(leaf.actual(), is_range);
    // The comparison with the surrounding list below is costly, so it runs only if it can change the result.
    if !is_access && !came.contains(&Range::Everywhere) {
        return None;
    }
    let around =
        leaf.node.parent().filter(|parent| leaf.node.key().is_none() && !parent.expected.value.is_scalar());
    let was = Range::read_all(around.map_or(leaf.expected(), |parent| parent.expected.value), is_range);
    let opens_to_all = came.contains(&Range::Everywhere) && !was.contains(&Range::Everywhere);
    if opens_to_all {
        return Some(Effect::Widens("open to the world"));
    }
    if !is_access || (came.is_empty() && was.is_empty()) {
        return None;
    }
    if came.is_empty() {
        let is_empty_now = around.map_or(leaf.actual(), |parent| parent.actual.value).is_empty();
        let lets_all_in = is_empty_now && names.path_has(&ALLOW_LISTS) && !in_rule_element(leaf.node);
        return Some(if lets_all_in { Effect::Widens("the allow list is empty") } else { CLOSED });
    }
    Some(if came.iter().all(|range| range.is_within(&was)) { CLOSED } else { OPENED })
}

/// Returns the effect of a rule that was added or removed, or whose ports or protocol changed.
fn in_rule(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    if !is_access(names) {
        return None;
    }
    let rule = leaf.node.upwards().skip(1).find(|node| looks_like_rule(node))?;
    let has_parent = rule.parent().is_some();
    if has_parent && rule.expected.value.is_empty() {
        return Some(OPENED);
    }
    if has_parent && rule.actual.value.is_empty() {
        return Some(CLOSED);
    }
    let name = names.attribute_name();
    if !PORTS.contains(&name.as_str()) {
        return None;
    }
    let (was, is) = (ports(rule.expected.value), ports(rule.actual.value));
    let protocols = [rule.expected.value, rule.actual.value].map(protocol);
    let same_protocol = protocols[0] == protocols[1] || is_all(protocols[0].as_deref());
    let is_narrower = same_protocol && was.0 <= is.0 && is.1 <= was.1;
    Some(if is_narrower { CLOSED } else { OPENED })
}

fn in_rule_element(node: &Node<'_>) -> bool {
    node.upwards().skip(1).any(|node| looks_like_rule(&node))
}

fn looks_like_rule(node: &Node<'_>) -> bool {
    let has_ports = |value: &Json| PORTS.iter().any(|name| value.get(name).is_some());
    has_ports(node.expected.value) || has_ports(node.actual.value)
}

fn protocol(rule: &Json) -> Option<String> {
    let protocol = rule.get("protocol").or_else(|| rule.get("ip_protocol"))?.as_str()?;
    Some(protocol.to_ascii_lowercase())
}

fn is_all(protocol: Option<&str>) -> bool {
    matches!(protocol, Some("-1" | "all" | "*" | "any"))
}

/// Returns the lowest and the highest port of a rule; all ports if it names none.
fn ports(rule: &Json) -> (u32, u32) {
    if is_all(protocol(rule).as_deref()) {
        return (0, u32::MAX);
    }
    let mut bounds: Option<(u32, u32)> = None;
    for name in PORTS {
        let Some(value) = rule.get(name) else { continue };
        for text in texts(value) {
            let (low, high) = match text.split_once('-') {
                Some((low, high)) => (low.parse().ok(), high.parse().ok()),
                None => (text.parse().ok(), text.parse().ok()),
            };
            let (low, high) = if text == "*" { (Some(0), Some(u32::MAX)) } else { (low, high) };
            if let (Some(low), Some(high)) = (low, high) {
                bounds = Some(bounds.map_or((low, high), |(least, most)| (least.min(low), most.max(high))));
            }
        }
    }
    bounds.unwrap_or((0, u32::MAX))
}

fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::String(text) | Json::Number(text) => vec![text.clone()],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Whether the rule around a change denies traffic.
fn denies(leaf: &Leaf<'_>, names: &Names) -> bool {
    names.path_has(&DENYING_KEYS)
        || leaf.node.upwards().any(|node| {
            ["access", "action", "rule_action", "effect"].into_iter().any(|name| {
                let says = |value: &Json| value.get(name).and_then(Json::as_str).map(str::to_ascii_lowercase);
                let denies = |text: Option<String>| {
                    text.is_some_and(|text| DENIALS.iter().any(|denial| text.starts_with(denial)))
                };
                denies(says(node.actual.value).or_else(|| says(node.expected.value)))
            })
        })
}
