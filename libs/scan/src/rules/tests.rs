use contracts::drift::{Kind, Severity};

use super::*;
use crate::diff::{Leaf, Side, changed_paths};
use crate::json::Json;
use crate::sensitive_marks::Marks;

const SUBJECT: Subject<'_> = Subject {
    stack: "prod/network",
    address: "module.app.aws_instance.web[0]",
    resource_type: "aws_instance",
    kind: Kind::Changed,
};

fn rate(rules: &Rules, subject: Subject<'_>, expected: &str, actual: &str) -> Rating {
    let (expected, actual) = (Json::parse_text(expected).unwrap(), Json::parse_text(actual).unwrap());
    let sides = [Side::unmarked(&expected), Side::unmarked(&actual)];
    let mut rate = |leaf: &Leaf<'_>| rules.rate(&subject, leaf);
    changed_paths(subject.resource_type, sides[0], sides[1], Marks::NONE, &mut rate).unwrap().remove(0).rating
}

fn class(rules: &str, expected: &str, actual: &str) -> Class {
    rate(&Rules::parse(rules).unwrap(), SUBJECT, expected, actual).class
}

#[test]
fn a_rule_names_a_resource_in_any_module_and_with_any_index() {
    for pattern in
        ["aws_instance.*", "aws_instance.web", "aws_instance.web[0]", "module.app.aws_instance.*", "*"]
    {
        let rules = Rules::parse(&format!("ignore = ['{pattern}']")).unwrap();
        assert_eq!(rate(&rules, SUBJECT, r#"{"a":1}"#, r#"{"a":2}"#).class, Class::Ignore, "{pattern}");
        let gone = Subject { kind: Kind::Missing, ..SUBJECT };
        assert_eq!(rules.rate_whole(&gone).class, Class::Ignore, "{pattern}");
    }
    for pattern in
        ["aws_instance.web[1]", "module.other.aws_instance.web", "aws_instance.web.b", "aws_instance.w"]
    {
        assert_eq!(
            class(&format!("ignore = ['{pattern}']"), r#"{"a":1}"#, r#"{"a":2}"#),
            Class::Warning,
            "{pattern}"
        );
    }
}

#[test]
fn a_rule_with_a_path_covers_what_is_under_it_and_never_the_resource() {
    let rules = Rules::parse("ignore = ['aws_instance.*.block.size']").unwrap();
    let class = |expected, actual| rate(&rules, SUBJECT, expected, actual).class;
    assert_eq!(class(r#"{"block":[{"size":{"x":1}}]}"#, r#"{"block":[{"size":{"x":2}}]}"#), Class::Ignore);
    assert_eq!(class(r#"{"block":[{"sizes":1}]}"#, r#"{"block":[{"sizes":2}]}"#), Class::Warning);
    assert_eq!(rules.rate_whole(&Subject { kind: Kind::Missing, ..SUBJECT }).class, Class::Critical);
}

#[test]
fn rules_look_at_stack_type_module_kind_and_values() {
    let (one, two) = (r#"{"size":"small","n":1}"#, r#"{"size":"large","n":1}"#);
    for (condition, expected) in [
        ("stack = 'prod/*'", Class::Info),
        ("stack = 'dev/*'", Class::Warning),
        ("type = 'aws_*'", Class::Info),
        ("type = 'google_*'", Class::Warning),
        ("module = 'module.app'", Class::Info),
        ("module = 'module.other'", Class::Warning),
        ("path = 'size'\nto = 'large'", Class::Info),
        ("path = 'size'\nto = 'huge'", Class::Warning),
        ("path = 'size'\nfrom = 'small'\nto = '*'", Class::Info),
        ("path = 'size'\nkind = 'missing'", Class::Warning),
    ] {
        assert_eq!(
            class(&format!("[[rule]]\nclass = 'info'\n{condition}"), one, two),
            expected,
            "{condition}"
        );
    }
    assert_eq!(
        class("[[rule]]\nclass = 'critical'\npath = 'n'\nto = 2", r#"{"n":1}"#, r#"{"n":2}"#),
        Class::Critical
    );
}

#[test]
fn the_first_rule_decides_before_anything_built_in() {
    let rules = "[[rule]]\nclass = 'warning'\npath = 'etag'\n[[rule]]\nclass = 'ignore'\npath = 'etag'";
    assert_eq!(class(rules, r#"{"etag":"a"}"#, r#"{"etag":"b"}"#), Class::Warning);
    assert_eq!(class("", r#"{"etag":"a"}"#, r#"{"etag":"b"}"#), Class::Volatile);
}

#[test]
fn names_of_0_1_0_still_work() {
    assert_eq!(
        class("critical_paths = ['size']", r#"{"b":{"size":1}}"#, r#"{"b":{"size":2}}"#),
        Class::Critical
    );
    assert_eq!(class("info_paths = ['size']", r#"{"size":1}"#, r#"{"size":2}"#), Class::Info);
}

#[test]
fn a_rules_file_that_cannot_work_is_refused() {
    assert!(matches!(Rules::parse("ignored = []"), Err(RulesError::Parse(_))));
    assert!(matches!(Rules::parse("[[rule]]\nclass = 'info'"), Err(RulesError::Empty { .. })));
    assert!(matches!(Rules::parse("[[rule]]\nclass = 'urgent'\npath = 'a'"), Err(RulesError::Parse(_))));
}

fn builtin(resource_type: &str, expected: &str, actual: &str) -> Class {
    let subject = Subject { resource_type, address: "module.m.a.b", ..SUBJECT };
    rate(&Rules::default(), subject, expected, actual).class
}

#[test]
fn values_that_change_by_themselves_are_volatile() {
    for (resource_type, path) in [
        ("aws_s3_object", "etag"),
        ("aws_lambda_function", "last_modified"),
        ("aws_db_instance", "latest_restorable_time"),
        ("google_compute_instance", "metadata_fingerprint"),
        ("kubernetes_deployment", "metadata.0.resource_version"),
        ("kubernetes_deployment_v1", "spec.0.replicas"),
        (
            "kubernetes_deployment",
            "spec.0.template.0.metadata.0.annotations.kubectl%kubernetes%io/restartedAt",
        ),
        ("aws_autoscaling_group", "desired_capacity"),
        ("azurerm_kubernetes_cluster", "default_node_pool.0.node_count"),
        ("azurerm_linux_virtual_machine_scale_set", "instances"),
        ("aws_elb", "instances.0"),
        ("aws_acm_certificate", "status"),
        ("aws_instance", "public_ip"),
    ] {
        let nested = |value: &str| {
            path.rsplit('.').fold(format!("{value:?}"), |inner, step| match step.parse::<usize>() {
                Ok(_) => format!("[{inner}]"),
                Err(_) => format!(r#"{{"{}":{inner}}}"#, step.replace('%', ".")),
            })
        };
        assert_eq!(
            builtin(resource_type, &nested("a"), &nested("b")),
            Class::Volatile,
            "{resource_type} {path}"
        );
    }
    let time = |name: &str, day: u8| format!(r#"{{"{name}":"2026-11-0{day}T00:00:00Z"}}"#);
    assert_eq!(builtin("x", &time("last_backup_time", 1), &time("last_backup_time", 2)), Class::Volatile);
    assert_eq!(builtin("x", &time("expiration_date", 1), &time("expiration_date", 2)), Class::Warning);
    for name in ["task_definition", "engine_version", "image", "kubernetes_version", "desired_count"] {
        assert_eq!(
            builtin("aws_x", &format!(r#"{{"{name}":"a"}}"#), &format!(r#"{{"{name}":"b"}}"#)),
            Class::Warning
        );
    }
    assert_eq!(
        builtin(
            "aws_x",
            r#"{"environment":[{"variables":{"generation":"1"}}]}"#,
            r#"{"environment":[{"variables":{"generation":"2"}}]}"#
        ),
        Class::Warning
    );
}

#[test]
fn labels_of_every_provider_are_information() {
    for name in ["tags", "tags_all", "labels", "user_labels", "freeform_tags", "defined_tags", "Tags"] {
        let map = |value: &str| format!(r#"{{"{name}":{{"team":"{value}"}}}}"#);
        assert_eq!(builtin("oci_x", &map("a"), &map("b")), Class::Info, "{name}");
    }
    let metadata = |value: &str| format!(r#"{{"metadata":[{{"labels":{{"team":"{value}"}}}}]}}"#);
    assert_eq!(builtin("kubernetes_namespace", &metadata("a"), &metadata("b")), Class::Info);
    let network_tags = |value: &str| format!(r#"{{"tags":["{value}"]}}"#);
    assert_eq!(builtin("google_compute_instance", &network_tags("a"), &network_tags("b")), Class::Warning);
}

#[test]
fn rules_in_the_short_form_are_tried_before_those_of_the_file() {
    let file = Rules::parse("alert_threshold = 'warning'\nvolatile = ['aws_x.*.size']").unwrap();
    let above = [ShortRule { class: Class::Ignore, pattern: "aws_x.*.size", stack: Some("prod/*") }];
    let rules = file.below(&above, Some(Severity::Info)).unwrap();
    let class_in = |stack| {
        let subject = Subject { stack, address: "module.m.aws_x.a[0]", resource_type: "aws_x", ..SUBJECT };
        rate(&rules, subject, r#"{"size":1}"#, r#"{"size":2}"#).class
    };
    assert_eq!((class_in("prod/eu"), class_in("test")), (Class::Ignore, Class::Volatile));
    let texts: Vec<&str> = rules.listed().iter().map(|rule| rule.text.as_str()).collect();
    assert_eq!(texts, ["ignore: aws_x.*.size stack=prod/*", "volatile: aws_x.*.size"]);
    assert_eq!(texts[0], above[0].text());
    assert_eq!((rules.alert_threshold, file.alert_threshold), (Severity::Info, Severity::Warning));
    assert_eq!(file.below(&[], None).unwrap().alert_threshold, Severity::Warning);
}
