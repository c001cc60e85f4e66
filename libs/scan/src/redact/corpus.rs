//! Several hundred probes. Each is a secret in a position where one was found.

use serde_json::{Value, json};

/// Has no known format and contains no word of secret names.
const PROBE: &str = "Qv7zKx3Zp91mWd4";

pub(super) struct Sample {
    pub what: String,
    pub resource_type: &'static str,
    pub state: Value,
    pub marks: Value,
    pub address: String,
}

fn sample(what: impl Into<String>, state: Value) -> Sample {
    Sample { what: what.into(), resource_type: "aws_x", state, marks: json!({}), address: "aws_x.y".into() }
}

const NAMES: [&str; 60] = [
    "password",
    "Password",
    "DB_PASSWORD",
    "master_password",
    "pwd",
    "dbPwd",
    "pass",
    "db_pass",
    "passcode",
    "passphrase",
    "private_key_pem",
    "cert_key_pem",
    "client_key",
    "kube_config",
    "kube_config_raw",
    "preshared_key",
    "tunnel1_preshared_key",
    "psk",
    "primary_key",
    "secondary_key",
    "shared_key",
    "account_key",
    "signing_key",
    "encryption_key",
    "master_key",
    "primary_access_key",
    "license_key",
    "integration_key",
    "webhook_url",
    "slack_webhook_url",
    "dsn",
    "SENTRY_DSN",
    "database_url",
    "DATABASE_URL",
    "authorization",
    "Authorization",
    "cookie",
    "session-cookie",
    "sas_url",
    "sasl_jaas_config",
    "otp",
    "custom_data",
    "startup-script",
    "metadata_startup_script",
    "user_data",
    "secret",
    "client_secret",
    "secretKey",
    "access_token",
    "authToken",
    "api_key",
    "apiKey",
    "API-KEY",
    "x-api-key",
    "credentials",
    "connection_string",
    "primary_connection_string",
    "PGPASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "private.key",
];

fn named() -> Vec<Sample> {
    let shapes: [fn(&str) -> Value; 4] = [
        |_| json!(PROBE),
        |_| json!([PROBE, "x"]),
        |_| json!({"a": PROBE, "b": {"c": PROBE}}),
        |_| json!([{"a": PROBE}]),
    ];
    let under = |name: &&str| {
        let name = *name;
        shapes
            .iter()
            .map(move |shape| sample(name, json!({"outer": [{name: shape(name)}]})))
            .collect::<Vec<_>>()
    };
    NAMES.iter().flat_map(under).collect()
}

fn beside() -> Vec<Sample> {
    [
        ("name", "value"),
        ("key", "value"),
        ("Name", "Value"),
        ("variable", "value"),
        ("header", "content"),
        ("setting", "value"),
        ("k", "v"),
    ]
    .into_iter()
    .flat_map(|(name, value)| {
        ["DB_PASSWORD", "auth.token", "X-Api-Key", "Authorization"]
            .map(|secret| sample(format!("{name} {secret}"), json!({"list": [{name: secret, value: PROBE}]})))
    })
    .chain([sample("arguments", json!({"args": ["--db-password", PROBE]}))])
    .collect()
}

fn embedded() -> Vec<Sample> {
    let object = json!({"list": [{"name": "DB_PASSWORD", "value": PROBE}], "apiKey": [PROBE], "db": {"credentials": {"a": PROBE}}});
    let inner = json!({"data": object.to_string()}).to_string();
    let yaml = format!(
        "a: 1\nauth:\n  credentials:\n    one: {PROBE}\nenv:\n  - name: DB_PASSWORD\n    value: \"{PROBE}\"\nkeys:\n  private_key: |\n    {PROBE}\n    {PROBE}\n"
    );
    vec![
        sample("json", json!({"definitions": object.to_string()})),
        sample("json in json", json!({"definitions": inner})),
        sample("yaml", json!({"values": [yaml]})),
        sample(
            "dotenv",
            json!({"file": format!("SIZE=1\nexport DB_PASSWORD=\"{PROBE}\"\nAPI_KEY={PROBE}\n")}),
        ),
        sample("ini", json!({"file": format!("[db]\npassword = {PROBE}\n")})),
        sample("script", json!({"inline": [format!("mysql --password {PROBE} -u root")]})),
        sample("properties", json!({"file": format!("spring.datasource.password={PROBE}")})),
        sample(
            "connection",
            json!({"app_settings": {"Sql": format!("Server=db;User Id=sa;Password={PROBE};")}}),
        ),
        sample(
            "storage",
            json!({"app_settings": {"Store": format!("AccountName=demo;AccountKey={PROBE}==;EndpointSuffix=x")}}),
        ),
        sample("query", json!({"endpoint": format!("https://h/p?token={PROBE}")})),
        sample("sas", json!({"endpoint": format!("https://h/p?sv=1&sig={PROBE}")})),
        sample("header", json!({"headers": [format!("X-Api-Key: {PROBE}")]})),
    ]
}

fn looks() -> Vec<Sample> {
    let fill = |length: usize| PROBE.chars().cycle().take(length).collect::<String>();
    let hex = |length: usize| "0a1b2c3d4e5f".chars().cycle().take(length).collect::<String>();
    let upper = |length: usize| "Q7KX3ZP2MWD4".chars().cycle().take(length).collect::<String>();
    let pem = |line: &str| {
        format!("-----BEGIN RSA PRIVATE KEY-----{line}{}{line}-----END RSA PRIVATE KEY-----", fill(40))
    };
    let formats = [
        pem("\n"),
        pem("\r\n"),
        pem("\n    "),
        pem("\\n"),
        format!("MIIEpAIBAAKCAQEA{}", fill(60)),
        format!("postgres://app:{PROBE}@db:5432/x"),
        format!("amqps://u:{PROBE}@mq"),
        format!("Bearer {PROBE}"),
        format!("Basic {}", fill(24)),
        format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", fill(20), fill(30)),
        format!("AKIA{}", upper(16)),
        format!("ASIA{}", upper(16)),
        format!("ABIA{}", upper(16)),
        format!("ACCA{}", upper(16)),
        format!("A3TX{}", upper(16)),
        format!("$5$salt$0a1b2c3d{}", hex(40)),
        format!("$6$salt$0a1b2c3d{}", hex(40)),
        format!("$y$j9T$salt$0a1b2c3d{}", hex(40)),
        format!("BEARER {PROBE}"),
        format!("BASIC {}", fill(24)),
        format!("AIza{}", fill(35)),
        format!("ya29.{}", fill(40)),
        format!("GOCSPX-{}", fill(28)),
        format!("ghp_{}", fill(36)),
        format!("gho_{}", fill(36)),
        format!("ghs_{}", fill(36)),
        format!("github_pat_{}", fill(60)),
        format!("glpat-{}", fill(20)),
        format!("glrt-{}", fill(20)),
        format!("xoxb-123456789012-{}", fill(24)),
        format!("xapp-1-{}", fill(24)),
        format!("https://hooks.slack.com/services/T0/B0/{}", fill(24)),
        format!("sk_live_{}", fill(24)),
        format!("rk_test_{}", fill(24)),
        format!("whsec_{}", fill(32)),
        format!("npm_{}", fill(36)),
        format!("pypi-{}", fill(60)),
        format!("rubygems_{}", hex(48)),
        format!("dckr_pat_{}", fill(27)),
        format!("SG.{}.{}", fill(22), fill(43)),
        format!("key-{}", hex(32)),
        format!("{}-us12", hex(32)),
        format!("dop_v1_{}", hex(64)),
        format!("shpat_{}", hex(32)),
        format!("dapi{}", hex(32)),
        format!("NRAK-{}", upper(27)),
        format!("glsa_{}", fill(41)),
        format!("hvs.{}", fill(90)),
        format!("{}.atlasv1.{}", fill(14), fill(60)),
        format!("lin_api_{}", fill(40)),
        format!("sk-proj-{}", fill(40)),
        format!("sk-ant-{}", fill(40)),
        format!("hf_{}", fill(34)),
        format!("123456789:AA{}", fill(33)),
        format!("dp.pt.{}", fill(43)),
        format!("pul-{}", hex(40)),
        format!("pscale_tkn_{}", fill(43)),
        format!("sntrys_{}", fill(60)),
        format!("tskey-auth-{}", fill(30)),
        format!("abc8Q~{}", fill(34)),
        format!("$2b$10${}", fill(53)),
        format!("ATATT3{}", fill(60)),
        format!("sq0atp-{}", fill(22)),
    ];
    let in_text = |secret: String| {
        [
            sample(secret.clone(), json!({"content": secret, "probe": true})),
            sample(secret.clone(), json!({"list": [format!("before {secret} after")], "probe": true})),
        ]
    };
    formats.into_iter().flat_map(in_text).collect()
}

fn copies() -> Vec<Sample> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let secret = "Qv7&zKx\"3Zp91 mWd4";
    let marked = |what: &str, copy: Value| Sample {
        marks: json!({"in": true}),
        ..sample(what, json!({"in": secret, "out": copy}))
    };
    let mut samples = vec![
        marked("whole", json!(secret)),
        marked("inside", json!(format!("x{secret}y"))),
        marked("upper", json!(secret.to_uppercase())),
        marked("base64", json!(STANDARD.encode(secret))),
        marked("base64 inside", json!(STANDARD.encode(format!("user:{secret}!")))),
        marked("percent", json!("https://h/x?y=Qv7%26zKx%223Zp91%20mWd4")),
        marked("escaped", json!("\"a\": \"Qv7&zKx\\\"3Zp91 mWd4\"")),
        marked("map key", json!({secret: 1})),
    ];
    samples.push(Sample {
        marks: json!({"in": true}),
        address: format!("aws_x.y[\"{PROBE}\"]"),
        ..sample("address", json!({"in": PROBE}))
    });
    samples.push(Sample { marks: json!({"in": true}), ..sample("three letters", json!({"in": "Qx9"})) });
    samples.push(Sample {
        marks: json!({"in": true}),
        ..sample("number", json!({"in": 918273645, "out": 918273645}))
    });
    samples.push(Sample {
        marks: json!({"in": true}),
        ..sample("part of a url", json!({"in": "Qv7z", "out": "https://h/Qv7z/x"}))
    });
    samples
}

fn typed() -> Vec<Sample> {
    [
        ("aws_ssm_parameter", "Value"),
        ("azurerm_key_vault_secret", "value"),
        ("random_password", "result"),
        ("kubernetes_secret", "data"),
    ]
    .map(|(resource_type, name)| Sample { resource_type, ..sample(resource_type, json!({name: PROBE})) })
    .into()
}

pub(super) fn corpus() -> Vec<Sample> {
    [named(), beside(), embedded(), looks(), copies(), typed()].into_iter().flatten().collect()
}
