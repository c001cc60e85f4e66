//! `driftsentry guard` before `terraform apply`.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::ci::{response, serve};
use crate::{App, BINARY, said, sample};

fn guard(base: &str, arguments: &[&str], token: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().env("DRIFTSENTRY_TOKEN", token).args(["guard", "--url", base]).args(arguments);
    command
}

#[tokio::test]
async fn the_exit_code_of_guard_is_the_verdict() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let plan = sample("fakeaws_1/plan.json.gz");
    let check = |stack: &str, arguments: &[&str]| -> Output {
        let plan = [plan.to_str().unwrap(), "--stack", stack];
        guard(app.client.base(), &plan, &token).args(arguments).output().unwrap()
    };
    let unknown = check("demo", &[]);
    assert_eq!(unknown.status.code(), Some(0), "{}", said(&unknown));
    assert!(said(&unknown).contains("no scan of this stack is stored"), "{}", said(&unknown));

    app.ingest(&plan, &[], &token);
    let review = check("demo", &[]);
    assert_eq!(review.status.code(), Some(3), "{}", said(&review));
    assert!(said(&review).contains("Touches drifts that are not decided"), "{}", said(&review));

    let engineer = app.client.with_token(&app.token("engineer").await);
    let drifts = engineer.get("/api/v1/drifts?stack=demo").await.data();
    let path = format!("/api/v1/drifts/{}", drifts[0]["id"].as_str().unwrap());
    engineer.post(&format!("{path}/approve"), &json!({"reason": "resized at night"})).await.data();
    let stop = check("demo", &[]);
    assert_eq!(stop.status.code(), Some(2), "{}", said(&stop));
    for shown in
        ["Stack demo: stop", "aws_db_instance.orders", "resized at night", "allocated_storage", "/#/drifts/"]
    {
        assert!(said(&stop).contains(shown), "{shown}: {}", said(&stop));
    }
    let report: Value = serde_json::from_slice(&check("demo", &["--json"]).stdout).unwrap();
    assert_eq!(
        (&report["verdict"], &report["undoes"][0]["reason"]),
        (&json!("stop"), &json!("resized at night"))
    );

    let mut child = guard(app.client.base(), &["-", "--stack", "demo"], &token)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(&plan).unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn guard_exits_with_1_on_failure_and_documents_its_exit_codes() {
    let plan = sample("fakeaws_1/plan.json.gz");
    let plan = plan.to_str().unwrap();
    let nowhere = "http://127.0.0.1:9";
    for (arguments, token) in [
        (&[plan, "--stack", "x", "--retries", "0"][..], "token"),
        (&[plan, "--stack", "x"], ""),
        (&["/nonexistent", "--stack", "x"], "token"),
        (&[plan], "token"),
    ] {
        let failed = guard(nowhere, arguments, token).output().unwrap();
        assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    }
    let help = said(&guard(nowhere, &["--help"], "").output().unwrap());
    for expected in
        ["0 clear", "2 the plan undoes", "3 it touches", "1 failure", "DRIFTSENTRY_TOKEN", "--stack"]
    {
        assert!(help.contains(expected), "{expected}: {help}");
    }
}

#[test]
fn control_codes_of_a_checked_plan_reach_no_terminal_s76() {
    let drift = json!({"id": "7", "address": "aws_x.y[\"\u{1b}[2J\u{9b}\"]", "status": "approved",
        "severity": "critical", "action": "update", "paths": [["\u{1b}c", 0]], "decidedBy": "u",
        "decidedAt": "2026-11-20T09:00:00Z", "reason": "\u{1b}]0;title\u{7}"});
    let report = json!({"success": true, "data": {"stack": "s", "verdict": "stop", "undoes": [drift],
        "touches": [], "repairs": [], "warnings": ["\u{1b}[2J"]}});
    for arguments in [&[][..], &["--json"]] {
        let (base, serving) = serve(vec![response("200 OK", "", &report)]);
        let plan = sample("fakeaws_1/plan.json.gz");
        let output = guard(&base, &[plan.to_str().unwrap(), "--stack", "s"], "token")
            .args(arguments)
            .output()
            .unwrap();
        serving.join().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text:?}");
        assert!(text.contains("u001b[2J") && !text.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{text:?}");
    }
}
