//! Lists whose order is known to matter, or known not to matter. Terraform writes lists and sets in the
//! same way.

/// Lists whose elements run, or are tried, one after the other.
const ORDERED: [&str; 16] = [
    "args",
    "arguments",
    "command",
    "commands",
    "entrypoint",
    "entry_point",
    "inline",
    "script",
    "steps",
    "stages",
    "init_container",
    "ordered_cache_behavior",
    "ordered_placement_strategy",
    "listener_rule_priority",
    "fallback",
    "failover",
];

/// Last words of the names of sets.
const SET_ENDINGS: [&str; 54] = [
    "ids",
    "arns",
    "cidrs",
    "blocks",
    "ranges",
    "names",
    "addresses",
    "prefixes",
    "groups",
    "subnets",
    "zones",
    "members",
    "roles",
    "scopes",
    "permissions",
    "ingress",
    "egress",
    "rule",
    "rules",
    "statement",
    "statements",
    "action",
    "actions",
    "resource",
    "resources",
    "principals",
    "tag",
    "tags",
    "labels",
    "records",
    "rrdatas",
    "aliases",
    "ports",
    "methods",
    "headers",
    "origins",
    "hosts",
    "hostnames",
    "domains",
    "servers",
    "locations",
    "regions",
    "keys",
    "values",
    "types",
    "users",
    "policies",
    "environment",
    "env",
    "secrets",
    "services",
    "protocols",
    "endpoints",
    "links",
];

/// Whether a changed order of this list is a change.
pub(crate) fn is_ordered(name: &str) -> bool {
    ORDERED.iter().any(|ordered| name.eq_ignore_ascii_case(ordered))
}

/// Whether a changed order of this list is known to mean nothing.
pub(crate) fn is_known_set(name: &str) -> bool {
    let words = crate::words::words(name);
    words.last().is_some_and(|last| SET_ENDINGS.contains(&last.as_str()))
}
