//! Rights of people and machines outside policies: members, roles, scopes, permissions.

use super::iam_policy::covers;
use super::{Effect, Names};
use crate::diff::Leaf;
use crate::json::Json;

const MORE: Effect = Effect::Widens("more rights are granted");
const LESS: Effect = Effect::Narrows("fewer rights are granted");
const EVERYBODY: Effect = Effect::Widens("everyone has access");

/// Names that grant rights in any resource.
const STRONG: [&str; 19] = [
    "managed_policy_arns",
    "policy_arn",
    "policy_arns",
    "assume_role_policy",
    "principal",
    "principals",
    "iam_roles",
    "iam_instance_profile",
    "service_account_email",
    "oauth_scopes",
    "role_arn",
    "admin_users",
    "admin_group_object_ids",
    "principal_id",
    "trusted_role_arns",
    "allowed_principals",
    "task_role_arn",
    "execution_role_arn",
    "not_principals",
];
/// Names that grant rights only in resources about rights.
const WEAK: [&str; 28] = [
    "member",
    "members",
    "role",
    "roles",
    "role_definition_name",
    "role_definition_id",
    "permission",
    "permissions",
    "scope",
    "scopes",
    "verbs",
    "resources",
    "api_groups",
    "subject",
    "subjects",
    "user",
    "users",
    "group",
    "groups",
    "owners",
    "admins",
    "privileges",
    "actions",
    "data_actions",
    "policies",
    "policy",
    "rules",
    "grantee",
];
const TYPES: [&str; 20] = [
    "iam",
    "role",
    "rolebinding",
    "policy",
    "permission",
    "permissions",
    "member",
    "membership",
    "binding",
    "grant",
    "access",
    "rbac",
    "team",
    "collaborator",
    "acl",
    "assignment",
    "privilege",
    "user",
    "memberships",
    "iamrole",
];
const EVERYBODY_NAMES: [&str; 6] = [
    "allusers",
    "allauthenticatedusers",
    "system:anonymous",
    "system:unauthenticated",
    "http://acs.amazonaws.com/groups/global/allusers",
    "http://acs.amazonaws.com/groups/global/authenticatedusers",
];
/// Words in the names of roles, from few rights to many.
const RANKS: [&[&str]; 4] = [
    &["none", "pull", "viewer", "view", "reader", "read", "readonly", "browser", "guest", "triage"],
    &["user", "member", "invoker", "writer", "write", "push", "edit", "developer", "operator"],
    &["editor", "contributor", "poweruser", "maintain", "maintainer", "manager"],
    &["admin", "administrator", "owner", "superuser", "fullaccess", "cluster-admin"],
];

pub(super) fn effect(leaf: &Leaf<'_>, names: &Names) -> Option<Effect> {
    if mentions_everybody(leaf.actual()) && !mentions_everybody(leaf.expected()) {
        return Some(EVERYBODY);
    }
    let is = |listed: &[&str]| names.path.iter().any(|key| listed.contains(&key.join("_").as_str()));
    if !(is(&STRONG) || (is(&WEAK) && names.type_has(&TYPES) && !names.type_has(&["lifecycle", "retention"])))
    {
        return None;
    }
    let list = leaf.node.parent().filter(|_| leaf.node.key().is_none());
    let (was, is) = (leaf.expected(), leaf.actual());
    if is.is_empty() {
        return Some(LESS);
    }
    let covered = list.map_or_else(|| std::slice::from_ref(was), |list| list.expected.value.items());
    let is_covered = is.as_str().is_some_and(|text| {
        covered.iter().filter_map(Json::as_str).any(|pattern| pattern == text || covers(pattern, text))
    });
    let is_lower = matches!((rank(was), rank(is)), (Some(was), Some(is)) if is < was);
    Some(if is_covered || is_lower { LESS } else { MORE })
}

fn mentions_everybody(value: &Json) -> bool {
    match value {
        Json::String(text) => EVERYBODY_NAMES.contains(&text.to_ascii_lowercase().as_str()),
        Json::Array(items) => items.iter().any(mentions_everybody),
        Json::Object(fields) => fields.values().any(mentions_everybody),
        _ => false,
    }
}

fn rank(value: &Json) -> Option<usize> {
    let text = value.as_str()?.to_ascii_lowercase();
    let words: Vec<&str> = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-').collect();
    RANKS.iter().rposition(|rank| {
        words
            .iter()
            .any(|word| rank.contains(word) || rank.iter().any(|name| name.len() > 4 && word.ends_with(name)))
    })
}
