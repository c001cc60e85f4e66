//! Rehearsals: their numbers are those of the rules once they are saved.

use std::collections::HashMap;

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::{App, upload, walk};
use crate::rules::{rule, save};

const REHEARSE: &str = "/api/v1/drifts/rules/rehearse";
const STACKS: [&str; 3] = ["prod/a", "prod/b", "test"];
const TYPES: [&str; 3] = ["aws_a", "aws_b", "aws_c"];

/// A seeded generator, so that a failed round can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }

    /// A changed or missing resource.
    fn drift(&mut self, index: usize) -> Value {
        let (resource_type, module) = (self.of(&TYPES), self.of(&["", "module.app."]));
        let before = json!({"id": format!("i-{index}"), "size": 1, "tags": {"team": "a", "env": "x"},
            "list": [{"port": 1}], "deletion_protection": true, "etag": "a"});
        let mut after = before.clone();
        for (name, value) in [
            ("size", json!(2)),
            ("tags", json!({"team": "b", "env": "x"})),
            ("list", json!([{"port": 1}, {"port": 2}])),
            ("deletion_protection", json!(false)),
            ("etag", json!("b")),
        ] {
            if self.below(3) == 0 {
                after[name] = value;
            }
        }
        if after == before {
            after["size"] = json!(3);
        }
        let is_missing = self.below(5) == 0;
        json!({
            "address": format!("{module}{resource_type}.n{index}"), "mode": "managed", "type": resource_type,
            "name": format!("n{index}"), "change": {
                "actions": [if is_missing { "delete" } else { "update" }],
                "before": before, "after": if is_missing { Value::Null } else { after },
            },
        })
    }

    fn plan(&mut self, drifts: usize) -> Value {
        let drifts: Vec<Value> = (0..drifts).map(|index| self.drift(index)).collect();
        plan(&drifts)
    }

    fn rule(&mut self) -> Value {
        let class = self.of(&["ignore", "ignore", "volatile", "info", "warning", "critical"]);
        let resource = self.of(&["*", "aws_a.*", "aws_b.*", "aws_c.n1?", "module.app.aws_a.*", "aws_a.n3"]);
        let path = self.of(&["", "", ".size", ".tags", ".list", ".*protection", ".*"]);
        let stack = [Value::Null, json!("prod/*"), json!("test")][self.below(3) as usize].clone();
        json!({"class": class, "pattern": format!("{resource}{path}"), "stack": stack})
    }

    /// A list of distinct rules, and a threshold.
    fn set(&mut self) -> Value {
        let mut rules: Vec<Value> = Vec::new();
        for _ in 0..=self.below(5) {
            let rule = self.rule();
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        let threshold = [Value::Null, json!("info"), json!("warning")][self.below(3) as usize].clone();
        json!({"rules": rules, "alertThreshold": threshold})
    }
}

fn plan(drifts: &[Value]) -> Value {
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true, "errored": false,
        "resource_drift": drifts,
    })
}

async fn rehearse(caller: &Client, set: &Value, days: u32) -> Value {
    let mut body = set.clone();
    body["days"] = json!(days);
    caller.post(REHEARSE, &body).await.data()
}

async fn ingest(app: &App, stack: &str, plan: &Value) -> Value {
    let stack = stack.replace('/', "%2F");
    upload(&app.engineer(), &format!("stack={stack}&complete=true"), plan.to_string().into()).await.data()
}

/// Returns the severity of each live drift.
async fn severities(app: &App) -> HashMap<String, u8> {
    let live = walk(&app.viewer(), "/api/v1/drifts?status=detected,approved,rejected&limit=100").await;
    let rank = |drift: &Value| match drift["severity"].as_str().unwrap() {
        "info" => 0,
        "warning" => 1,
        _ => 2,
    };
    live.iter().map(|drift| (drift["id"].as_str().unwrap().to_owned(), rank(drift))).collect()
}

#[rstest]
#[actix_web::test]
async fn a_rehearsal_counts_what_a_save_then_changes(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut silenced, mut quieter, mut louder) = (0, 0, 0);
    for round in 0..12 {
        let engineer = app.engineer();
        for stack in STACKS {
            let plan = random.plan(15);
            ingest(&app, stack, &plan).await;
        }
        // Some drifts are decided, and a person has rated some.
        for (at, id) in severities(&app).await.into_keys().enumerate().filter(|(at, _)| at % 5 == 0) {
            let path = format!("/api/v1/drifts/{id}");
            if at % 2 == 0 {
                engineer.post(&format!("{path}/approve"), &json!({"reason": "known"})).await;
            } else {
                engineer.patch(&path, &json!({"severity": "info"})).await;
            }
        }
        // Resolved drifts are then outside of the rehearsed days, and live ones never are.
        app.advance(TimeDelta::days(2));
        let engineer = app.engineer();
        let (set, before) = (random.set(), severities(&app).await);
        let report = rehearse(&engineer, &set, 1).await;
        let saved = save(&app.admin(), round, &set).await.data();
        let after = severities(&app).await;
        let count = |changes: fn(u8, u8) -> bool| {
            let changed = after.iter().filter(|(id, severity)| changes(before[*id], **severity));
            changed.count() as u64
        };
        let total = &report["total"];
        let told = ["considered", "silenced", "silencedNow", "quieter", "louder", "shownAgain"]
            .map(|name| total[name].as_u64().unwrap());
        let gone = (before.len() - after.len()) as u64;
        let happened = [
            before.len() as u64,
            gone,
            saved["ignored"].as_u64().unwrap(),
            count(|before, after| after < before),
            count(|before, after| after > before),
            0,
        ];
        assert_eq!(told, happened, "round {round}: {set}");
        silenced += gone;
        quieter += happened[3];
        louder += happened[4];
    }
    assert!(silenced > 30 && quieter > 10 && louder > 10, "{silenced} {quieter} {louder}");
}

#[rstest]
#[actix_web::test]
async fn a_rehearsal_over_history_counts_what_the_next_scan_ignores(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut silenced = 0;
    for round in 0..12_i64 {
        // Without rules, the history has every drift.
        save(&app.admin(), 2 * round, &json!({"rules": [rule("warning", &format!("none.n{round}"))]}))
            .await
            .data();
        let plans = STACKS.map(|stack| (stack, random.plan(12)));
        for (stack, plan) in &plans {
            ingest(&app, stack, plan).await;
            ingest(&app, stack, &self::plan(&[])).await;
        }
        let set = random.set();
        let report = rehearse(&app.engineer(), &set, 1).await;
        save(&app.admin(), 2 * round + 1, &set).await.data();
        let mut ignored = 0;
        for (stack, plan) in &plans {
            ignored += ingest(&app, stack, plan).await["ignored"].as_u64().unwrap();
            ingest(&app, stack, &self::plan(&[])).await;
        }
        let total = &report["total"];
        assert_eq!(total["considered"], 36, "round {round}");
        assert_eq!(
            (&total["silenced"], &total["silencedNow"]),
            (&json!(ignored), &json!(0)),
            "round {round}: {set}"
        );
        silenced += ignored;
        app.advance(TimeDelta::days(2));
    }
    assert!(silenced > 30, "{silenced}");
}

#[rstest]
#[actix_web::test]
async fn a_rehearsal_tells_the_part_of_each_rule_and_warns_of_hidden_deletions(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let drift = |name: &str, action: &str, after: Value| {
        json!({"address": format!("aws_a.{name}"), "mode": "managed", "type": "aws_a", "name": name, "change": {
            "actions": [action], "before": {"id": name, "size": 1, "deletion_protection": true}, "after": after}})
    };
    let drifts = [
        drift("one", "update", json!({"id": "one", "size": 2, "deletion_protection": true})),
        drift("two", "update", json!({"id": "two", "size": 2, "deletion_protection": false})),
        drift("three", "delete", Value::Null),
    ];
    ingest(&app, "prod", &plan(&drifts)).await;

    let with_path = json!({"rules": [rule("ignore", "aws_a.*.size"), rule("info", "aws_b.*")]});
    let report = rehearse(&engineer, &with_path, 30).await;
    let (first, second) = (&report["rules"][0], &report["rules"][1]);
    assert_eq!(
        (&first["considered"], &first["silenced"], &first["deletedResources"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(first["examples"][0]["address"], "aws_a.one");
    assert_eq!((&second["considered"], &second["examples"]), (&json!(0), &json!([])));
    assert_eq!(
        (&report["version"], &report["isCut"], &report["warnings"]),
        (&json!(0), &json!(false), &json!([]))
    );

    let whole = json!({"rules": [rule("ignore", "aws_a.*")]});
    let report = rehearse(&engineer, &whole, 30).await;
    let total = &report["total"];
    assert_eq!(
        (&total["silenced"], &total["deletedResources"], &total["alertsLess"]),
        (&json!(3), &json!(1), &json!(2))
    );
    assert!(report["warnings"][0].as_str().unwrap().contains("hide deletions"), "{report}");

    // Nothing was stored, and without the rules the drifts would be back.
    assert_eq!(app.drifts(&engineer).await.len(), 3);
    save(&app.admin(), 0, &whole).await.data();
    let report = rehearse(&engineer, &json!({"rules": []}), 30).await;
    assert_eq!((&report["total"]["shownAgain"], &report["total"]["alertsMore"]), (&json!(3), &json!(2)));
    let louder = rehearse(&engineer, &json!({"rules": [], "alertThreshold": "info"}), 30).await;
    assert_eq!(louder["total"]["alertsMore"], 3);
    app.viewer().post(REHEARSE, &whole).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}
