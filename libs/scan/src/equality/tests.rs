use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Json {
    Json::parse_text(text).unwrap()
}

fn equal(one: &str, other: &str, name: &str) -> bool {
    are_equal(&json(one), &json(other), Attribute { resource_type: "aws_x", name })
}

#[test]
fn all_empty_values_are_equal() {
    for one in ["null", r#""""#, "[]", "{}", r#"{"a":null,"b":[]}"#, "[null]", "[{}]"] {
        for other in ["null", r#""""#, "[]", "{}"] {
            assert!(equal(one, other, "x"), "{one} {other}");
        }
    }
    for something in ["true", "false", "0", "[0]", r#"{"a":false}"#, r#"" ""#] {
        assert!(!equal("null", something, "x"), "{something}");
    }
}

#[test]
fn a_text_that_holds_json_is_compared_as_json() {
    assert!(equal(r#""{\"a\":1,\"b\":[ 1, 2]}""#, r#""{\n \"b\": [2,1], \"a\": 1.0 }""#, "x"));
    assert!(equal(r#""{\"a\":1}""#, r#"{"a":1}"#, "x"));
    assert!(!equal(r#""{\"a\":1}""#, r#""{\"a\":2}""#, "x"));
    assert!(!equal(r#""[draft] one""#, r#""[draft]  one""#, "x"));
}

#[test]
fn policies_are_compared_by_what_they_allow() {
    let one = r#"{"Statement":{"Effect":"Allow","Action":"s3:getobject","Principal":{"AWS":"arn:aws:iam::123456789012:root"},
        "Condition":{"Bool":{"aws:SecureTransport":true}}}}"#;
    let other = r#"{"Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Principal":{"AWS":["123456789012"]},
        "Condition":{"Bool":{"aws:SecureTransport":["true"]}}}]}"#;
    assert!(equal(one, other, "policy"));
    assert!(!equal(one, &other.replace("GetObject", "*"), "policy"));
    assert!(equal(
        r#"{"Statement":[{"Principal":"*"}]}"#,
        r#"{"Statement":[{"Principal":{"AWS":"*"}}]}"#,
        "policy"
    ));
}

#[test]
fn texts_are_compared_by_what_they_mean() {
    for (one, other, name) in [
        (r#""80""#, "80", "port"),
        ("1e2", "100.0", "size"),
        (r#""Example.COM.""#, r#""example.com""#, "domain_name"),
        (r#"["Mail.Example.com."]"#, r#"["mail.example.com"]"#, "records"),
        (r#""arn:aws:logs:eu-west-1:1:log-group:x:*""#, r#""arn:aws:logs:eu-west-1:1:log-group:x""#, "arn"),
        (r#""/subscriptions/A/resourceGroups/g""#, r#""/subscriptions/a/resourcegroups/G""#, "id"),
        (
            r#""https://www.googleapis.com/compute/v1/projects/p/zones/z""#,
            r#""projects/p/zones/z""#,
            "self_link",
        ),
        (r#""2026-11-01T06:00:00Z""#, r#""2026-11-01T07:00:00+01:00""#, "at"),
        (r#""0:0:0:0:0:0:0:0/0""#, r#""::/0""#, "cidr"),
        (r#""aGVsbG8=""#, r#""aGVsbG8""#, "content_base64"),
        (r#""aGVsbG8=""#, r#""hello""#, "user_data"),
    ] {
        assert!(equal(one, other, name), "{one} {other}");
    }
    for (one, other, name) in [
        (r#""1.10""#, r#""1.1""#, "engine_version"),
        (r#""007""#, r#""7""#, "code"),
        (r#""Example.COM""#, r#""example.com""#, "title"),
        (r#""aGVsbG8=""#, r#""aGVsbG8""#, "name"),
        (r#""v=spf1 A.b ~all""#, r#""v=spf1 a.b ~all""#, "records"),
    ] {
        assert!(!equal(one, other, name), "{one} {other}");
    }
}

#[test]
fn order_counts_only_where_it_is_known_to() {
    assert!(equal(r#"["a","b"]"#, r#"["b","a"]"#, "security_groups"));
    assert!(!equal(r#"["a","b"]"#, r#"["b","a"]"#, "command"));
    assert!(is_known_set("vpc_security_group_ids") && is_known_set("cidr_blocks") && !is_known_set("items"));
}

/// Generates a small state, and the same state in another notation.
fn reformatted() -> impl Strategy<Value = (Json, Json)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| (Json::Bool(value), Json::Bool(value))),
        (0u32..1000).prop_map(|value| { (Json::Number(value.to_string()), Json::String(value.to_string())) }),
        "[a-z ]{1,8}".prop_map(|text| (Json::String(text.clone()), Json::String(text))),
        Just((Json::Null, Json::Array(vec![]))),
        Just((Json::String(String::new()), Json::Object(Default::default()))),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let fields = prop::collection::btree_map("[a-z]{1,4}", inner.clone(), 0..4);
        let items = prop::collection::vec(inner, 0..4);
        prop_oneof![
            fields.clone().prop_map(|fields| {
                let (one, other): (std::collections::BTreeMap<_, _>, std::collections::BTreeMap<_, _>) =
                    fields.into_iter().map(|(key, (one, other))| ((key.clone(), one), (key, other))).unzip();
                (Json::Object(one), Json::Object(other))
            }),
            fields.prop_map(|fields| {
                let one: std::collections::BTreeMap<_, _> =
                    fields.into_iter().map(|(key, (one, _))| (key, one)).collect();
                let text = Json::Object(one.clone()).to_text().replace(':', " :\n ");
                (Json::Object(one), Json::String(text))
            }),
            items.prop_map(|items| {
                let (one, mut other): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                other.reverse();
                (Json::Array(one), Json::Array(other))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn equality_is_reflexive_and_symmetric_under_reformatting((one, other) in reformatted()) {
        let at = Attribute { resource_type: "aws_x", name: "x" };
        prop_assert!(are_equal(&one, &one, at));
        prop_assert!(are_equal(&one, &other, at), "{} {}", one.to_text(), other.to_text());
        prop_assert!(are_equal(&other, &one, at));
    }
}
