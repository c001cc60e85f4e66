//! `driftsentry ingest` as a CI job uses it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Output;

use serde_json::{Value, json};

use crate::{App, ingest, said, sample};

fn plan(address: &str) -> String {
    json!({"format_version": "1.2", "complete": true, "resource_drift": [{"address": address, "type": "aws_x",
        "change": {"actions": ["delete"], "before": {"id": address}, "after": null}}]})
    .to_string()
}

/// Serves one of these responses to each request. Returns the heads of the requests.
pub(crate) fn serve(responses: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for response in responses {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            heads.push(head.to_lowercase());
            let mut stream = stream;
            stream.write_all(response.as_bytes()).unwrap();
            // Reads the rest of the body, because a reset would lose the response.
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = reader.read_to_end(&mut Vec::new());
        }
        heads
    });
    (base, serving)
}

pub(crate) fn response(status: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

fn send(base: &str, arguments: &[&str]) -> Output {
    let plan = sample("fakeaws_1/plan.json.gz");
    let mut command = ingest(&[plan.to_str().unwrap(), "--stack", "s", "--url", base], "token");
    command.args(arguments).output().unwrap()
}

#[test]
fn an_unavailable_service_is_retried_with_the_same_key() {
    let report = json!({"success": true, "data": {"created": 0, "changed": 0}});
    let busy = json!({"success": false, "error": {"message": "not now"}});
    let (base, serving) = serve(vec![
        response("503 Service Unavailable", "retry-after: 0\r\n", &busy),
        response("429 Too Many Requests", "retry-after: 0\r\n", &busy),
        String::new(),
        response("200 OK", "", &report),
    ]);
    let output = send(&base, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let heads = serving.join().unwrap();
    let key =
        |head: &String| head.lines().find(|line| line.starts_with("idempotency-key:")).unwrap().to_owned();
    assert!(heads.len() == 4 && heads.iter().all(|head| key(head) == key(&heads[0])), "{heads:?}");
}

#[test]
fn a_redirect_is_not_followed_and_names_its_location() {
    let (base, serving) =
        serve(vec![response("302 Found", "location: https://login.example.com/\r\n", &json!({}))]);
    let output = send(&base, &[]);
    serving.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("https://login.example.com/"), "{}", said(&output));
}

#[test]
fn control_codes_of_a_plan_reach_no_terminal_s76() {
    let drift = json!({"id": "7", "stack": "s", "address": "aws_x.y[\"\u{1b}[2J\u{9b}\"]", "severity": "critical",
        "kind": "changed", "change": "created", "reason": null});
    let report = json!({"success": true, "data": {"created": 1, "changed": 0, "drifts": [drift],
        "warnings": ["\u{1b}]0;title\u{7}"], "skippedReasons": {"\u{1b}c": 1}}});
    for arguments in [vec![], vec!["--json"]] {
        let (base, serving) = serve(vec![response("200 OK", "", &report)]);
        let output = send(&base, &arguments);
        serving.join().unwrap();
        let text = said(&output);
        assert!(text.contains("u001b[2J") && !text.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{text:?}");
    }
    let refusal = json!({"success": false, "error": {"message": "\u{1b}[2Jno"}});
    let (base, serving) = serve(vec![response("422 Unprocessable Entity", "", &refusal)]);
    let text = said(&send(&base, &[]));
    serving.join().unwrap();
    assert!(!text.contains('\u{1b}') && !text.to_lowercase().contains("backtrace"), "{text:?}");
}

#[tokio::test]
async fn a_folder_is_sent_at_once_and_the_severity_decides_the_exit_code() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("db")).unwrap();
    std::fs::write(folder.path().join("vpc.json"), plan("aws_x.vpc")).unwrap();
    std::fs::write(folder.path().join("db/main.json"), plan("aws_x.db")).unwrap();
    let sent = app.ingest(folder.path(), &["--json", "--fail-on", "critical"], &token);
    assert_eq!(sent.status.code(), Some(2), "{}", said(&sent));
    let report: Value = serde_json::from_slice(&sent.stdout).unwrap();
    let stacks: Vec<&str> =
        report["stacks"].as_array().unwrap().iter().map(|stack| stack["stack"].as_str().unwrap()).collect();
    assert_eq!(stacks, ["demo/db/main", "demo/vpc"]);
    assert_eq!(report["drifts"][0]["severity"], "critical");

    let again = app.ingest(folder.path(), &["--fail-on", "warning"], &token);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    std::fs::write(folder.path().join("bad.json"), "{\"values\":{}}").unwrap();
    let partly = app.ingest(folder.path(), &[], &token);
    assert_eq!(partly.status.code(), Some(1));
    assert!(
        said(&partly).contains("a state, not a plan") && said(&partly).contains("unchanged       2"),
        "{}",
        said(&partly)
    );
}

const GITHUB: [(&str, &str); 4] = [
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_REPOSITORY", "acme/infra"),
    ("GITHUB_RUN_ID", "7"),
    ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
];

#[tokio::test]
async fn ci_services_get_annotations_and_people_a_table_with_links() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.json");
    std::fs::write(&file, plan("aws_x.y")).unwrap();
    let mut command =
        ingest(&[file.to_str().unwrap(), "--stack", "demo", "--url", app.client.base()], &token);
    let output = command
        .env("GITHUB_ACTIONS", "true")
        .env("GITLAB_CI", "true")
        .envs(GITHUB)
        .current_dir(&folder)
        .output()
        .unwrap();
    let text = said(&output);
    let scans = app.client.with_token(&token).get("/api/v1/scans").await.data();
    assert_eq!(scans[0]["runUrl"], "https://github.com/acme/infra/actions/runs/7");
    assert_eq!(scans[0]["commit"], "0123456789abcdef0123456789abcdef01234567");
    assert!(text.contains("::error title=Drift in demo::aws_x.y"), "{text}");
    assert!(
        text.contains("critical") && text.contains(&format!("{}/#/drifts/", app.client.base())),
        "{text}"
    );
    let annotations = std::fs::read_to_string(folder.path().join("gl-driftsentry-annotations.json")).unwrap();
    assert!(annotations.contains("aws_x.y"), "{annotations}");
    let help = said(&ingest(&["--help"], "").output().unwrap());
    for expected in ["HTTPS_PROXY", "SSL_CERT_FILE", "--fail-on", "--json", "--unmanaged", "Exit codes"] {
        assert!(help.contains(expected), "{help}");
    }
}
