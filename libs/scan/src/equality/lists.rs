//! Lists whose order is known to mean something, or known to mean nothing. Terraform writes lists and
//! sets alike.

/// Lists that run, or are tried, one after the other.
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

/// The last words of names of sets.
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

/// Whether another order of this list is a change.
pub fn is_ordered(name: &str) -> bool {
    ORDERED.iter().any(|ordered| name.eq_ignore_ascii_case(ordered))
}

/// Whether another order of this list is known to be none.
pub fn is_known_set(name: &str) -> bool {
    let words = crate::words::words(name);
    words.last().is_some_and(|last| SET_ENDINGS.contains(&last.as_str()))
}
