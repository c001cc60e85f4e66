use super::*;
use crate::diff::{Side, changed_paths};
use crate::json::Json;
use crate::sensitive_marks::Marks;

/// Returns `Some(true)` if a change widens, and `Some(false)` if one narrows and none widens.
fn widens(resource_type: &str, expected: &str, actual: &str) -> Option<bool> {
    let parse = |text: &str| Json::parse_text(text).unwrap_or_else(|_| panic!("{text}"));
    let (expected, actual) = (parse(expected), parse(actual));
    let sides = [Side::unmarked(&expected), Side::unmarked(&actual)];
    let changes = changed_paths(resource_type, sides[0], sides[1], Marks::NONE, &mut of).unwrap();
    let effects: Vec<Effect> = changes.into_iter().filter_map(|change| change.rating).collect();
    let widens = effects.iter().any(|effect| matches!(effect, Effect::Widens(_)));
    (!effects.is_empty()).then_some(widens)
}

/// Checks a change in both directions.
fn directed(resource_type: &str, safe: &str, open: &str) {
    assert_eq!(widens(resource_type, safe, open), Some(true), "{resource_type} {safe} → {open}");
    assert_eq!(widens(resource_type, open, safe), Some(false), "{resource_type} {open} → {safe}");
}

#[test]
fn network_access_has_a_direction() {
    let rule = |port: u16, cidr: &str| {
        format!(
            r#"{{"ingress":[{{"from_port":{port},"to_port":{port},"protocol":"tcp","cidr_blocks":["{cidr}"]}}]}}"#
        )
    };
    directed("aws_security_group", &rule(443, "10.0.0.0/8"), &rule(443, "0.0.0.0/0"));
    directed("aws_security_group", &rule(443, "10.1.0.0/16"), &rule(443, "10.0.0.0/8"));
    directed("aws_security_group", r#"{"ingress":[]}"#, &rule(22, "0.0.0.0/0"));
    directed("aws_security_group", r#"{"egress":null}"#, &rule(22, "0.0.0.0/0").replace("ingress", "egress"));
    let wide = rule(443, "10.0.0.0/8").replace(r#""to_port":443"#, r#""to_port":65535"#);
    directed("aws_security_group", &rule(443, "10.0.0.0/8"), &wide);
    directed(
        "google_compute_firewall",
        r#"{"source_ranges":["10.0.0.0/8"]}"#,
        r#"{"source_ranges":["10.0.0.0/8","0.0.0.0/0"]}"#,
    );
    directed(
        "azurerm_network_security_rule",
        r#"{"source_address_prefix":"10.0.0.0/8"}"#,
        r#"{"source_address_prefix":"*"}"#,
    );
    directed(
        "azurerm_network_security_rule",
        r#"{"source_address_prefix":"10.0.0.0/8"}"#,
        r#"{"source_address_prefix":"Internet"}"#,
    );
    directed("azurerm_network_security_rule", r#"{"access":"Deny"}"#, r#"{"access":"Allow"}"#);
    directed(
        "azurerm_kubernetes_cluster",
        r#"{"api_server_access_profile":[{"authorized_ip_ranges":["1.2.3.4/32"]}]}"#,
        r#"{"api_server_access_profile":[{"authorized_ip_ranges":["0.0.0.0/0"]}]}"#,
    );
    directed(
        "google_sql_database_instance",
        r#"{"authorized_networks":[{"name":"x","value":"1.2.3.4/32"}]}"#,
        r#"{"authorized_networks":[{"name":"x","value":"0.0.0.0/0"}]}"#,
    );
    let networks = |cidr: &str| {
        format!(r#"{{"master_authorized_networks_config":[{{"cidr_blocks":[{{"cidr_block":"{cidr}"}}]}}]}}"#)
    };
    directed("google_container_cluster", &networks("10.0.0.0/8"), &networks("0.0.0.0/0"));
    let route = |cidr: &str| format!(r#"{{"destination_cidr_block":"{cidr}"}}"#);
    assert_eq!(widens("aws_route", &route("10.0.0.0/8"), &route("0.0.0.0/0")), Some(true));
    let emptied =
        widens("azurerm_x", r#"{"authorized_ip_ranges":["1.2.3.4/32"]}"#, r#"{"authorized_ip_ranges":[]}"#);
    assert_eq!(emptied, Some(true));
    let denied =
        |cidr: &str| format!(r#"{{"action":"deny","cidr_block":"{cidr}","from_port":0,"to_port":0}}"#);
    directed("aws_network_acl_rule", &denied("10.0.0.0/8"), &denied("10.1.0.0/16"));
    assert_eq!(widens("aws_vpc", r#"{"cidr_block":"10.0.0.0/16"}"#, r#"{"cidr_block":"10.1.0.0/16"}"#), None);
}

#[test]
fn switches_have_a_safe_side() {
    for (name, safe, open) in [
        ("publicly_accessible", "false", "true"),
        ("public_network_access_enabled", "false", "true"),
        ("public_network_access", r#""Disabled""#, r#""Enabled""#),
        ("block_public_acls", "true", "false"),
        ("restrict_public_buckets", "true", "false"),
        ("deletion_protection", "true", "false"),
        ("deletion_protection_enabled", "true", "false"),
        ("disable_api_termination", "true", "false"),
        ("encrypted", "true", "false"),
        ("storage_encrypted", "true", "false"),
        ("enable_logging", "true", "false"),
        ("mfa_delete", "true", "false"),
        ("enable_key_rotation", "true", "false"),
        ("https_only", "true", "false"),
        ("http_tokens", r#""required""#, r#""optional""#),
        ("acl", r#""private""#, r#""public-read""#),
        ("container_access_type", r#""private""#, r#""blob""#),
        ("public_access_prevention", r#""enforced""#, r#""inherited""#),
        ("min_tls_version", r#""TLS1_2""#, r#""TLS1_0""#),
        ("minimum_tls_version", r#""1.2""#, r#""1.1""#),
        ("minimum_protocol_version", r#""TLSv1.2_2021""#, r#""TLSv1""#),
        ("ssl_policy", r#""ELBSecurityPolicy-TLS13-1-2-2021-06""#, r#""ELBSecurityPolicy-2016-08""#),
        ("authorization_type", r#""AWS_IAM""#, r#""NONE""#),
        ("visibility", r#""private""#, r#""public""#),
        ("ingress", r#""INGRESS_TRAFFIC_INTERNAL_ONLY""#, r#""INGRESS_TRAFFIC_ALL""#),
        ("minimum_password_length", "14", "6"),
        ("kms_key_id", r#""arn:aws:kms:x""#, "null"),
        ("privileged", "false", "true"),
        ("disable_password_authentication", "true", "false"),
    ] {
        let state = |value: &str| format!(r#"{{"{name}":{value}}}"#);
        assert_eq!(widens("aws_x", &state(safe), &state(open)), Some(true), "{name} {safe} → {open}");
        if name != "kms_key_id" {
            assert_eq!(widens("aws_x", &state(open), &state(safe)), Some(false), "{name} {open} → {safe}");
        }
    }
    assert_eq!(
        widens("aws_x", r#"{"publicly_accessible":null}"#, r#"{"publicly_accessible":true}"#),
        Some(true)
    );
    assert_eq!(widens("aws_x", r#"{"deletion_protection":null}"#, r#"{"deletion_protection":false}"#), None);
    let block = |value: &str| format!(r#"{{"mfa_delete":[{{"enabled":{value}}}]}}"#);
    assert_eq!(widens("aws_x", &block("true"), &block("false")), Some(true));
}

#[test]
fn a_name_alone_has_no_effect() {
    for (name, one, two) in [
        (
            "lifecycle_policy",
            r#"[{"transition_to_ia":"AFTER_7_DAYS"}]"#,
            r#"[{"transition_to_ia":"AFTER_30_DAYS"}]"#,
        ),
        ("retention_policy", r#"[{"retention_period":10}]"#, r#"[{"retention_period":20}]"#),
        ("ingress_class_name", r#""nginx""#, r#""traefik""#),
        ("kms_key_rotation_days", "90", "180"),
        ("versioning", r#"[{"enabled":true}]"#, r#"[{"enabled":false}]"#),
        ("oracle_version", "1", "2"),
    ] {
        let state = |value: &str| format!(r#"{{"{name}":{value}}}"#);
        assert_eq!(widens("aws_x", &state(one), &state(two)), None, "{name}");
    }
}

#[test]
fn policies_have_a_direction() {
    let policy = |statement: &str| {
        format!(r#"{{"policy":{}}}"#, serde_json::json!(format!(r#"{{"Statement":[{statement}]}}"#)))
    };
    let allow = |action: &str, resource: &str| {
        policy(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#))
    };
    directed("aws_iam_policy", &allow("s3:GetObject", "arn:x/*"), &allow("s3:*", "arn:x/*"));
    directed("aws_iam_policy", &allow("s3:GetObject", "arn:x/a"), &allow("s3:GetObject", "*"));
    directed("aws_iam_policy", &policy(""), &allow("s3:GetObject", "*"));
    let deny = |action: &str| policy(&format!(r#"{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#));
    directed("aws_iam_policy", &deny("s3:*"), &deny("s3:GetObject"));
    let principal = |who: &str| {
        policy(&format!(r#"{{"Effect":"Allow","Action":"s3:GetObject","Principal":{{"AWS":"{who}"}}}}"#))
    };
    directed("aws_s3_bucket_policy", &principal("111122223333"), &principal("*"));
    let condition =
        policy(r#"{"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#);
    directed("aws_s3_bucket_policy", &condition, &policy(r#"{"Effect":"Allow","Action":"a:b"}"#));
}

#[test]
fn rights_have_a_direction() {
    directed("google_project_iam_binding", r#"{"members":["user:a"]}"#, r#"{"members":["user:a","user:b"]}"#);
    directed("google_project_iam_member", r#"{"role":"roles/viewer"}"#, r#"{"role":"roles/owner"}"#);
    directed(
        "aws_iam_role",
        r#"{"managed_policy_arns":[]}"#,
        r#"{"managed_policy_arns":["arn:aws:iam::aws:policy/AdministratorAccess"]}"#,
    );
    directed("kubernetes_cluster_role", r#"{"rule":[{"verbs":["get"]}]}"#, r#"{"rule":[{"verbs":["*"]}]}"#);
    directed(
        "azurerm_role_assignment",
        r#"{"role_definition_name":"Reader"}"#,
        r#"{"role_definition_name":"Owner"}"#,
    );
    assert_eq!(
        widens("google_cloud_run_service", r#"{"x":["user:a"]}"#, r#"{"x":["allUsers"]}"#),
        Some(true)
    );
    assert_eq!(widens("aws_iam_role", r#"{"description":"a"}"#, r#"{"description":"b"}"#), None);
}
