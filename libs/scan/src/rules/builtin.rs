//! The built-in rules: values that change by themselves, and labels.

use chrono::DateTime;

use super::class::Class;
use crate::diff::{How, Leaf};
use crate::json::Json;
use crate::path::Step;
use crate::words::words;

/// Attributes that change by themselves, at the top of any resource or inside any block.
const VOLATILE: [&str; 54] = [
    "etag",
    "e_tag",
    "last_modified",
    "last_modified_date",
    "last_modified_time",
    "last_modified_at",
    "last_changed_date",
    "last_updated",
    "last_updated_date",
    "last_updated_time",
    "last_updated_at",
    "last_update_time",
    "last_used",
    "last_used_date",
    "last_accessed",
    "last_accessed_date",
    "last_login",
    "last_login_date",
    "last_seen",
    "last_seen_at",
    "updated_at",
    "updated_time",
    "update_time",
    "modified_at",
    "modified_time",
    "modified_date",
    "latest_restorable_time",
    "earliest_restorable_time",
    "fingerprint",
    "label_fingerprint",
    "metadata_fingerprint",
    "tags_fingerprint",
    "generation",
    "metageneration",
    "observed_generation",
    "resource_version",
    "public_ip",
    "public_dns",
    "public_ip_address",
    "qualified_arn",
    "qualified_invoke_arn",
    "latest_version",
    "latest_revision",
    "default_version",
    "engine_version_actual",
    "platform_version",
    "current_version_id",
    "source_code_size",
    "managed_fields",
    "lock_token",
    "restart_at",
    "self_link_unique_id",
    "instance_state",
    "power_state",
];
/// Parts of the names of annotations that change by themselves.
const VOLATILE_KEYS: [&str; 8] = [
    "kubectl.kubernetes.io/restartedAt",
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "cloud.google.com/neg-status",
    "control-plane.alpha.kubernetes.io/leader",
];
/// Counts that an autoscaler changes, and other values in one type of resource.
const VOLATILE_OF_TYPE: [(&str, &str); 35] = [
    ("aws_autoscaling_group", "desired_capacity"),
    ("aws_ecs_service", "desired_count"),
    ("aws_ecs_cluster", "capacity_providers_status"),
    ("aws_dynamodb_table", "read_capacity"),
    ("aws_dynamodb_table", "write_capacity"),
    ("aws_eks_node_group", "scaling_config.desired_size"),
    ("aws_appstream_fleet", "compute_capacity.running"),
    ("aws_rds_cluster", "reader_endpoint_count"),
    ("aws_spot_fleet_request", "target_capacity"),
    ("aws_elb", "instances"),
    ("helm_release", "metadata"),
    ("aws_emr_instance_group", "running_instance_count"),
    ("aws_lambda_alias", "routing_config"),
    ("aws_acm_certificate", "status"),
    ("aws_acm_certificate", "renewal_summary"),
    ("aws_acm_certificate", "renewal_eligibility"),
    ("aws_acm_certificate", "pending_renewal"),
    ("aws_acm_certificate", "not_before"),
    ("aws_acm_certificate", "not_after"),
    ("aws_acmpca_certificate_authority", "status"),
    ("google_container_node_pool", "node_count"),
    ("google_container_node_pool", "instance_group_urls"),
    ("google_container_node_pool", "managed_instance_group_urls"),
    ("google_container_cluster", "node_pool.node_count"),
    ("google_compute_instance_group_manager", "target_size"),
    ("google_compute_region_instance_group_manager", "target_size"),
    ("google_compute_managed_ssl_certificate", "managed.status"),
    ("google_compute_managed_ssl_certificate", "expire_time"),
    ("google_certificate_manager_certificate", "managed.state"),
    ("azurerm_kubernetes_cluster", "default_node_pool.node_count"),
    ("azurerm_kubernetes_cluster_node_pool", "node_count"),
    ("azurerm_*virtual_machine_scale_set", "instances"),
    ("azurerm_virtual_machine_scale_set", "sku.capacity"),
    ("kubernetes_*deployment*", "spec.replicas"),
    ("kubernetes_*stateful_set*", "spec.replicas"),
];
/// The providers' names for labels.
const LABELS: [&str; 16] = [
    "tags",
    "tags_all",
    "labels",
    "effective_labels",
    "terraform_labels",
    "user_labels",
    "resource_labels",
    "freeform_tags",
    "defined_tags",
    "system_tags",
    "effective_tags",
    "all_tags",
    "tag_specifications",
    "resource_tags",
    "default_tags",
    "custom_labels",
];
/// Words for times that record an event, as opposed to times that a person sets.
const RECORDING: [&str; 19] = [
    "last",
    "latest",
    "created",
    "creation",
    "create",
    "modified",
    "updated",
    "update",
    "changed",
    "change",
    "seen",
    "accessed",
    "used",
    "refreshed",
    "observed",
    "transition",
    "heartbeat",
    "activity",
    "restorable",
];

/// Returns the class of a path by its names. Without a `leaf`, the values are not considered.
pub(super) fn class_of(
    resource_type: &str,
    path: &[Step],
    leaf: Option<&Leaf<'_>>,
) -> Option<(Class, &'static str)> {
    let keys: Vec<&str> = path.iter().filter_map(Step::key).collect();
    if is_volatile(resource_type, &keys) || leaf.is_some_and(|leaf| is_recorded_time(&keys, leaf)) {
        return Some((Class::Volatile, "changes by itself"));
    }
    // A newer provider reports the region, in which the resource has always been.
    if keys == ["region"] && leaf.is_none_or(|leaf| leaf.how == How::Added) {
        return Some((Class::Volatile, "the region became known"));
    }
    is_label(resource_type, &keys).then_some((Class::Info, "labels"))
}

/// Returns the class of a change that no rule recognises.
pub(super) fn unknown(how: How) -> Class {
    match how {
        How::Reordered => Class::Info,
        How::Added | How::Removed | How::Changed => Class::Warning,
    }
}

fn is_volatile(resource_type: &str, keys: &[&str]) -> bool {
    let Some(first) = keys.first() else { return false };
    let is_named = |key: &&str| VOLATILE.contains(key);
    let is_block = |key: &&str| matches!(*key, "metadata" | "status");
    let in_labels = LABELS.contains(first);
    let by_name =
        !in_labels && (is_named(first) || keys.iter().any(|key| is_named(key) && !is_setting(keys, key)));
    by_name
        || keys.iter().any(|key| VOLATILE_KEYS.iter().any(|volatile| key.eq_ignore_ascii_case(volatile)))
        || (is_block(first) && keys.iter().any(is_named))
        || (*first == "status" && resource_type.starts_with("kubernetes_"))
        || VOLATILE_OF_TYPE.iter().any(|(of, path)| {
            is_type(of, resource_type) && {
                let mut names = path.split('.');
                names.all(|name| keys.contains(&name)) && path.split('.').next() == Some(first)
            }
        })
}

/// Whether a key is inside a map that people write, such as an environment, where names prove nothing.
fn is_setting(keys: &[&str], key: &str) -> bool {
    let above = keys.iter().position(|name| *name == key).unwrap_or_default();
    keys[..above].iter().any(|name| {
        matches!(
            *name,
            "variables"
                | "environment"
                | "env"
                | "data"
                | "settings"
                | "app_settings"
                | "parameters"
                | "config"
                | "configuration"
                | "values"
                | "policy"
                | "parameter"
        )
    })
}

fn is_type(pattern: &str, resource_type: &str) -> bool {
    match pattern.split_once('*') {
        None => {
            resource_type == pattern || resource_type.strip_prefix(pattern).is_some_and(|rest| rest == "_v1")
        }
        Some((start, rest)) => {
            resource_type.strip_prefix(start).is_some_and(|end| end.contains(rest.trim_end_matches('*')))
        }
    }
}

/// Whether the change is a later time in an attribute that records one.
fn is_recorded_time(keys: &[&str], leaf: &Leaf<'_>) -> bool {
    let Some(last) = keys.last() else { return false };
    let time = |value: &Json| DateTime::parse_from_rfc3339(value.as_str()?).ok();
    let (Some(was), Some(is)) = (time(leaf.expected()), time(leaf.actual())) else { return false };
    is > was && words(last).iter().any(|word| RECORDING.contains(&word.as_str()))
}

fn is_label(resource_type: &str, keys: &[&str]) -> bool {
    // These tags name the firewall rules that apply to an instance.
    let is_network_tags = resource_type.starts_with("google_compute_instance") && keys == ["tags"];
    let in_group_tag = resource_type == "aws_autoscaling_group" && keys.first() == Some(&"tag");
    let is_selector = keys.iter().any(|key| key.contains("selector"));
    !is_network_tags
        && !is_selector
        && (in_group_tag || keys.iter().any(|key| LABELS.iter().any(|label| key.eq_ignore_ascii_case(label))))
}
