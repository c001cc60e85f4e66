//! The rules of the console: versions, layers, audit, and when they are in force.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Method, StatusCode};

use crate::app::{App, upload, walk};

const RULES: &str = "/api/v1/drifts/rules";

pub(crate) fn rule(class: &str, pattern: &str) -> Value {
    json!({"class": class, "pattern": pattern})
}

/// Saves a list of rules as the version after `version`.
pub(crate) async fn save(caller: &Client, version: i64, body: &Value) -> Answer {
    let request = caller.with_header("if-match", &format!("\"v{version}\"")).request(Method::PUT, RULES);
    caller.send(request.json(body)).await
}

async fn restore(caller: &Client, version: i64, restored: i64) -> Answer {
    let path = format!("{RULES}/versions/{restored}/restore");
    caller.with_header("if-match", &format!("\"v{version}\"")).post(&path, &json!({})).await
}

/// A plan with one drift for each type, whose attributes `size` and `tags` differ.
fn plan(types: &[&str]) -> Vec<u8> {
    let drift = |resource_type: &&str| {
        json!({
            "address": format!("module.app.{resource_type}.web[0]"), "mode": "managed", "type": resource_type,
            "name": "web", "change": {
                "actions": ["update"],
                "before": {"id": "i-1", "size": 1, "tags": {"team": "a"}},
                "after": {"id": "i-1", "size": 2, "tags": {"team": "b"}},
            },
        })
    };
    let plan = json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "errored": false,
        "resource_drift": types.iter().map(drift).collect::<Vec<_>>(),
    });
    plan.to_string().into()
}

async fn ingest(app: &App, stack: &str, types: &[&str]) -> Value {
    upload(&app.engineer(), &format!("stack={stack}&complete=true"), plan(types)).await.data()
}

async fn open(app: &App) -> Vec<String> {
    let drifts = walk(&app.viewer(), "/api/v1/drifts?status=detected&limit=100").await;
    let mut names: Vec<String> = drifts
        .iter()
        .map(|drift| {
            let (stack, address) = (drift["stack"].as_str().unwrap(), drift["address"].as_str().unwrap());
            format!("{stack} {}", address.split('.').nth(2).unwrap())
        })
        .collect();
    names.sort();
    names
}

#[rstest]
#[actix_web::test]
async fn saved_rules_are_in_force_at_once_in_every_process_and_are_undone(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let replica = if backend == Backend::Real { Some(app.replica().await) } else { None };
    let other = replica.as_ref().unwrap_or(&app);
    let admin = app.admin();
    ingest(&app, "prod", &["aws_a", "aws_b"]).await;
    ingest(other, "test", &["aws_a"]).await;
    assert_eq!(open(&app).await, ["prod aws_a", "prod aws_b", "test aws_a"]);

    let in_prod = json!({"class": "ignore", "pattern": "aws_a.*", "stack": "prod", "note": "noise"});
    let body = json!({"rules": [in_prod], "note": "first"});
    let saved = save(&admin, 0, &body).await;
    assert_eq!(saved.header("etag"), "\"v1\"");
    assert_eq!(saved.data(), json!({"version": 1, "ignored": 1, "rated": 0}));
    assert_eq!(open(&app).await, ["prod aws_b", "test aws_a"]);
    // Also in a process that did not save them, with its next request.
    let report = ingest(other, "prod", &["aws_a", "aws_b"]).await;
    assert_eq!((&report["ignored"], &report["created"]), (&json!(1), &json!(0)), "{report}");

    let everywhere = json!({"rules": [rule("critical", "aws_b.*.size"), rule("ignore", "aws_a.*")]});
    assert_eq!(save(&admin, 1, &everywhere).await.data(), json!({"version": 2, "ignored": 1, "rated": 1}));
    assert_eq!(open(&app).await, ["prod aws_b"]);
    let critical = app.drifts(&app.viewer()).await;
    assert!(critical.iter().any(|drift| drift["status"] == "detected" && drift["severity"] == "critical"));

    // Undone: what the rule has hidden is back with the next scan.
    let undone = restore(&admin, 2, 1).await.data();
    assert_eq!(undone, json!({"version": 3, "ignored": 0, "rated": 1}));
    assert_eq!(open(&app).await, ["prod aws_b"]);
    ingest(other, "test", &["aws_a"]).await;
    assert_eq!(open(&app).await, ["prod aws_b", "test aws_a"]);
    assert_eq!(restore(&admin, 3, 0).await.data()["version"], 4);
    ingest(&app, "prod", &["aws_a", "aws_b"]).await;
    assert_eq!(open(&app).await, ["prod aws_a", "prod aws_b", "test aws_a"]);
    restore(&admin, 4, 9).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    let changed = app.expect_events("drift:rules_changed", 4).await;
    assert_eq!(changed[3]["payload"]["version"], 4);
    // Another start finds the same rules, and changes nothing.
    app.restarted(&[]).await;
    assert_eq!(open(&app).await, ["prod aws_a", "prod aws_b", "test aws_a"]);
}

#[rstest]
#[actix_web::test]
async fn nobody_saves_over_the_rules_of_somebody_else(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (one, other) = (app.admin(), app.admin());
    let body = json!({"rules": [rule("info", "aws_a.*")]});
    let unconditional = one.send(one.request(Method::PUT, RULES).json(&body)).await;
    unconditional.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    save(&one, 0, &body).await.data();
    let refused = save(&other, 0, &body).await;
    let error = refused.error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let listed = other.get(RULES).await;
    assert_eq!(listed.header("etag"), "\"v1\"");
    assert_eq!(
        (&error["details"]["version"], &error["details"]["by"]),
        (&json!(1), &listed.data()["savedBy"])
    );
    restore(&other, 0, 0).await.error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");

    // Of many at the same time, one is first.
    let saves = (0..8).map(|_| save(&one, 1, &body));
    let answers = futures_util::future::join_all(saves).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 1);
    assert_eq!(one.get(RULES).await.data()["version"], 2);
}

#[rstest]
#[actix_web::test]
async fn the_rules_of_the_console_are_above_those_of_the_file(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let file = tempfile("alert_threshold = 'warning'\nvolatile = ['aws_a.*.size']\nignore = ['aws_b.*']");
    let app = App::with(backend, &[&format!("--drift-rules={}", file.display())]).await;
    let admin = app.admin();
    ingest(&app, "prod", &["aws_a", "aws_b"]).await;
    assert_eq!(open(&app).await, ["prod aws_a"]);
    let above = json!({"rules": [rule("warning", "aws_b.*.size")], "alertThreshold": "critical"});
    save(&admin, 0, &above).await.data();
    ingest(&app, "prod", &["aws_a", "aws_b"]).await;
    assert_eq!(open(&app).await, ["prod aws_a", "prod aws_b"]);

    let listed = app.viewer().get(RULES).await.data();
    assert_eq!(listed["alertThreshold"], "critical");
    assert_eq!(listed["consoleAlertThreshold"], "critical");
    assert_eq!(listed["fileAlertThreshold"], "warning");
    let rules: Vec<(&str, &str, i64)> = listed["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let text = |key: &str| rule[key].as_str().unwrap();
            (text("rule"), text("source"), rule["matches"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(rules[0], ("warning: aws_b.*.size", "console", 1));
    assert!(rules.contains(&("volatile: aws_a.*.size", "file", 2)), "{rules:?}");
    assert_eq!(listed["rules"][0]["written"]["pattern"], "aws_b.*.size");
    assert_eq!(listed["rules"][1]["written"], Value::Null);
}

fn tempfile(text: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("rules-{}.toml", uuid::Uuid::new_v4()));
    std::fs::write(&path, text).unwrap();
    path
}

#[rstest]
#[actix_web::test]
async fn each_version_is_kept_and_audited(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let admin = app.admin();
    ingest(&app, "prod", &["aws_a"]).await;
    let secret = "token ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let first = json!({"rules": [rule("ignore", "aws_a.*")], "note": format!("noise, {secret}")});
    save(&admin, 0, &first).await.data();
    let second =
        json!({"rules": [rule("info", "aws_c.*"), rule("ignore", "aws_a.*")], "alertThreshold": "info"});
    save(&admin, 1, &second).await.data();
    restore(&admin, 2, 1).await.data();

    let versions = walk(&app.viewer(), &format!("{RULES}/versions?limit=1")).await;
    assert_eq!(versions.len(), 3);
    let [third, second, first] = &versions[..] else { unreachable!() };
    assert_eq!((&third["restoredFrom"], &third["removed"]), (&json!(1), &json!(["info: aws_c.*"])));
    assert_eq!((&second["added"], &second["alertThreshold"]), (&json!(["info: aws_c.*"]), &json!("info")));
    assert_eq!(
        (&first["added"], &first["rules"].as_array().unwrap().len()),
        (&json!(["ignore: aws_a.*"]), &1)
    );
    assert!(!first["note"].as_str().unwrap().contains("ghp_"), "{first}");

    let audit = walk(&admin, "/api/v1/audit?limit=100").await;
    let of_rules: Vec<&Value> = audit.iter().filter(|row| row["entity"] == "rules").collect();
    let told: Vec<_> = of_rules.iter().map(|row| (&row["action"], &row["from"], &row["to"])).collect();
    assert_eq!(
        told,
        [
            (&json!("rules.restore"), &json!("v2"), &json!("v3")),
            (&json!("rules.save"), &json!("v1"), &json!("v2")),
            (&json!("rules.save"), &json!("v0"), &json!("v1")),
        ]
    );
    assert_eq!(of_rules[0]["reason"], "restores v1");
    // The drift that the first save resolved names the person and the request.
    let silenced = audit.iter().find(|row| row["action"] == "drift.resolve").unwrap();
    assert_eq!(
        (&silenced["actor"], &silenced["ownRequestId"]),
        (&of_rules[2]["actor"], &of_rules[2]["ownRequestId"])
    );
}

#[rstest]
#[actix_web::test]
async fn rules_are_bounded(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let admin = app.admin();
    let many = |count: usize| (0..count).map(|at| rule("info", &format!("aws_a.a{at}"))).collect::<Vec<_>>();
    for body in [
        json!({"rules": many(501)}),
        json!({"rules": [rule("info", "")]}),
        json!({"rules": vec![rule("info", ""); 501]}),
        json!({"rules": [rule("info", " aws_a.*")]}),
        json!({"rules": [rule("info", "aws_a.*\nignore")]}),
        json!({"rules": [rule("info", &"a".repeat(513))]}),
        json!({"rules": [rule("info", &"\u{1F980}".repeat(512))]}),
        json!({"rules": [rule("urgent", "aws_a.*")]}),
        json!({"rules": [rule("info", "aws_a.*"), rule("info", "aws_a.*")]}),
        json!({"rules": [], "note": "n".repeat(501)}),
        json!({"rules": [], "alertThreshold": "loud"}),
        json!({"rules": [], "days": 91}),
    ] {
        let saved = save(&admin, 0, &body).await;
        saved.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let rehearsed = admin.post(&format!("{RULES}/rehearse"), &body).await;
        rehearsed.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    assert_eq!(admin.get(RULES).await.data()["version"], 0);
    // Braces and brackets are ordinary characters.
    save(&admin, 0, &json!({"rules": [rule("info", "aws_a.x[\"{[\"]")]})).await.data();
    // The longest text can be counted.
    let long = format!("aws_a.{}", "?".repeat(506));
    let body = json!({"rules": [{"class": "critical", "pattern": long, "stack": "\u{e9}".repeat(256)}]});
    save(&admin, 1, &body).await.data();
    save(&admin, 2, &json!({"rules": many(500)})).await.data();
    for version in 3..203 {
        save(&admin, version, &json!({"rules": []})).await.data();
    }
    assert_eq!(app.count("rule_versions").await, 200);
    restore(&admin, 203, 3).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[rstest]
#[actix_web::test]
async fn an_upload_that_was_read_under_older_rules_is_stored_under_the_new_ones(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let admin = app.admin();
    let types: Vec<String> = (0..400).map(|index| format!("aws_{index}")).collect();
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    // Uploads and saves overlap in any order; whichever is last, no drift is open under rules that ignore it.
    for version in 0..6 {
        let ignores = version % 2 == 0;
        let rules = if ignores { vec![rule("ignore", "aws_*")] } else { vec![] };
        let body = json!({"rules": rules});
        let stack = format!("s{version}");
        let (_, saved) = futures_util::join!(ingest(&app, &stack, &types), save(&admin, version, &body));
        saved.data();
        if ignores {
            assert_eq!(open(&app).await, Vec::<String>::new(), "after version {}", version + 1);
        }
    }
}
