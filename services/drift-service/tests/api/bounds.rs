use std::io::Write;
use std::path::Path;

use contracts::Role;
use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, Client, Process, StatusCode, free_port};

use crate::app::{App, SECRET, sample, upload};

async fn expect_too_large(caller: &Client, body: Vec<u8>) {
    upload(caller, "stack=a", body).await.error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[rstest]
#[actix_web::test]
async fn an_upload_over_the_bounds_is_refused_s54(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let spaces = vec![b' '; 33 * 1024 * 1024];
    expect_too_large(&engineer, packed(&spaces)).await;
    expect_too_large(&engineer, spaces).await;
    let entry = json!({
        "address": "a.b", "type": "a", "change": {"actions": ["update"], "before": {"x": 1}, "after": {"x": 2}},
    });
    let plan = json!({"format_version": "1.2", "resource_drift": vec![entry; 20_000]});
    expect_too_large(&engineer, plan.to_string().into_bytes()).await;
    assert!(app.drifts(&engineer).await.is_empty());
}

/// U+0000 is the only character that Postgres cannot store.
#[rstest]
#[actix_web::test]
async fn nul_in_an_upload_causes_no_server_error_s53(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let entry = |address: &str, id: &str| {
        let state = |value: &str| json!({"id": id, "x\0": value});
        let change = json!({"actions": ["update"], "before": state("1\0"), "after": state("2\0")});
        json!({"address": address, "type": "a", "change": change})
    };
    let plan = json!({"format_version": "1.2", "resource_drift": [entry("a.b", "i\0"), entry("a.\0", "i")]});
    let report = upload(&app.engineer(), "stack=a", plan.to_string().into_bytes()).await.data();
    assert_eq!((&report["created"], &report["skipped"]), (&json!(1), &json!(1)));
    let drifts = app.drifts(&app.engineer()).await;
    assert_eq!((&drifts[0]["resourceId"], &drifts[0]["actualState"]["x\0"]), (&json!("a.b"), &json!("2\0")));
    upload(&app.engineer(), "stack=a%00", b"{}".into())
        .await
        .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn other_bodies_are_bounded_too_s54(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let body = json!({"resourceId": "x".repeat(1024 * 1024)});
    let answer = app.engineer().post("/api/v1/drifts", &body).await;
    answer.error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
}

/// Measures the binary in a separate process, so that no other memory counts.
#[actix_web::test]
async fn a_large_plan_takes_little_memory() {
    let app = App::start(Backend::Memory).await;
    let base = format!("http://127.0.0.1:{}", free_port());
    // `exec` keeps the process id of the shell, which the script prints first.
    let script = format!("echo pid=$$ && exec {}", env!("CARGO_BIN_EXE_drift-service"));
    let environment = [
        ("DATABASE_URL", app.database_url.replace(".sqlite", "-alone.sqlite")),
        ("REDIS_URL", "memory:".into()),
        ("JWT_ACCESS_SECRET", SECRET.into()),
        ("HOST", "127.0.0.1".into()),
        ("PORT", base.rsplit(':').next().unwrap_or_default().into()),
    ];
    let mut process = Process::spawn(Path::new("sh"), &["-c", &script], environment);
    process.wait_until_ready(&base).await;
    let engineer = Client::new(base).with_token(&app.token(Role::Engineer, 900));
    let log = process.log();
    let pid = log.lines().find_map(|line| line.strip_prefix("pid=")).unwrap();

    let plan = sample("fakeaws_2000/scan1.plan.json");
    let before = peak_kilobytes(pid);
    let report = upload(&engineer, "stack=a", plan.clone()).await.data();
    assert_eq!(report["created"], 2_000);
    upload(&engineer, "stack=a", plan).await.data();
    expect_too_large(&engineer, packed(&vec![b' '; 200 * 1024 * 1024])).await;
    let grown = (peak_kilobytes(pid) - before) / 1024;
    assert!(grown < 100, "the peak grew by {grown} MB");
}

fn peak_kilobytes(pid: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
