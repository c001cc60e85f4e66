//! The import of an installation of the replaced Node stack.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, PrivatePostgres, Process, StatusCode, execute, free_port, read_all_tables};

use crate::{BINARY, said};

const SCHEMA: &str = include_str!("../../../../tests/legacy/schema.sql");
const ROWS: &str = include_str!("../../../../tests/legacy/rows.sql");

/// An old database, and a new installation on SQLite or PostgreSQL.
pub(crate) struct Move {
    old: String,
    data: tempfile::TempDir,
    new: Option<String>,
}

impl Move {
    pub(crate) async fn new(backend: Backend, rows: &str) -> Self {
        let server = PrivatePostgres::shared();
        let old = server.create_database().await;
        execute(&old, SCHEMA).await;
        execute(&old, rows).await;
        let new = match backend {
            Backend::Memory => None,
            Backend::Real => Some(server.create_database().await),
        };
        Self { old, data: tempfile::tempdir().unwrap(), new }
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        let data = self.data.path().to_str().unwrap();
        let database = self.new.as_deref().map(|url| ("DATABASE_URL", url));
        let fixed = [("DATA_DIR", data), ("BCRYPT_COST", "4"), ("DEMO_USERS", "false")];
        fixed.into_iter().chain(database).collect()
    }

    pub(crate) fn import(&self, options: &[&str]) -> Output {
        // The parameters of the URL are those that the old stack needs.
        let from = format!("{}?schema=public&connection_limit=5", self.old);
        let arguments = ["import-legacy", "--from", &from].into_iter().chain(options.iter().copied());
        Command::new(BINARY).args(arguments).env_clear().envs(self.settings()).output().unwrap()
    }

    async fn start(&self) -> (Process, Client) {
        let port = free_port().to_string();
        let mut process = Process::spawn(Path::new(BINARY), &["--port", &port], self.settings());
        let base = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&base).await;
        (process, Client::new(base))
    }

    /// The rows of all new tables.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut tables = BTreeMap::new();
        for service in ["auth", "drift"] {
            let url = match &self.new {
                Some(url) => format!("{url}?options[search_path]={service}"),
                None => format!("sqlite://{}/{service}.db", self.data.path().display()),
            };
            let read = read_all_tables(&url).await;
            tables.extend(read.into_iter().map(|(table, rows)| (format!("{service}.{table}"), rows)));
        }
        // A start may announce a key.
        tables.remove("auth.signing_keys");
        tables
    }
}

async fn log_in(client: &Client, email: &str, password: &str) -> Value {
    client.post("/api/auth/login", &json!({"email": email, "password": password})).await.data()
}

fn list(answer: Value) -> BTreeMap<String, Value> {
    let items = answer.as_array().unwrap().iter();
    items.map(|item| (item["id"].as_str().unwrap()[34..].to_owned(), item.clone())).collect()
}

#[rstest]
#[tokio::test]
async fn an_installation_moves_and_nothing_has_to_be_decided_again(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let moved = Move::new(backend, ROWS).await;
    let preview = moved.import(&["--dry-run"]);
    assert!(preview.status.success(), "{}", said(&preview));
    assert!(moved.rows().await["auth.users"].is_empty() && moved.rows().await["drift.drifts"].is_empty());

    let imported = moved.import(&[]);
    let report = said(&imported);
    assert!(imported.status.success(), "{report}");
    for line in [
        "users: 5 imported, 0 already there",
        "users: 1 imported, 0 already there",
        "drifts: 8 imported, 0 already there",
        "alerts: 3 imported, 0 already there",
        "audit rows: 2 imported, 0 already there",
        "ada@example.com (00000000-0000-4000-8000-000000000004)",
        "joan@example.com: STARTER",
        "katherine@example.com: STARTER",
        "have the address of a user who is already here; not imported",
        "role-1: snoozed",
        "i-1 again",
        "sessions: 1",
        "Session: 1",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    let counts = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split("\n\n").next().unwrap_or_default().to_owned()
    };
    assert_eq!(counts(&imported), counts(&preview));
    let rows = moved.rows().await;
    let settings = &rows["auth.user_settings"];
    assert!(settings.len() == 1 && settings[0].contains("dark"), "{settings:?}");
    let again = moved.import(&[]);
    assert!(
        again.status.success() && said(&again).contains("drifts: 0 imported, 8 already there"),
        "{}",
        said(&again)
    );
    assert_eq!(moved.rows().await, rows, "a second import changes nothing");
    let text = format!("{rows:?}");
    for secret in ["hunter2-of-old", "hunter3-of-old", "ghp_0123", "AKIAIOSFODNN7OLDKEY1"] {
        assert!(!text.contains(secret), "{secret} was copied");
    }

    let (_process, client) = moved.start().await;
    let ada = log_in(&client, "ada@example.com", "Correct-Horse-7").await;
    assert_eq!((&ada["user"]["role"], &ada["user"]["name"]), (&json!("admin"), &json!("Ada Lovelace")));
    let grace = log_in(&client, "GRACE@example.com", "Correct-Horse-8").await;
    assert_eq!(log_in(&client, "joan@example.com", "Correct-Horse-9").await["user"]["role"], "viewer");
    assert_eq!(log_in(&client, "katherine@example.com", "Correct-Horse-7").await["user"]["role"], "viewer");
    for disabled in ["gone@example.com", "off@example.com"] {
        let refused = json!({"email": disabled, "password": "Correct-Horse-7"});
        client.post("/api/auth/login", &refused).await.expect(StatusCode::UNAUTHORIZED);
    }

    let as_ada = client.with_token(ada["accessToken"].as_str().unwrap());
    let drifts = list(as_ada.get("/api/v1/drifts?limit=100").await.data());
    let status = |id: &str| (drifts[id]["status"].as_str().unwrap(), drifts[id]["resolvedHow"].as_str());
    assert_eq!(status("01"), ("detected", None));
    assert_eq!(status("02"), ("detected", None));
    assert_eq!(status("03"), ("approved", None));
    assert_eq!(status("04"), ("resolved", Some("superseded")));
    assert_eq!(status("05"), ("resolved", Some("manual")));
    assert_eq!(status("06"), ("resolved", Some("superseded")));
    assert_eq!(status("07"), ("detected", None));
    assert_eq!(status("08"), ("detected", None));
    assert_eq!(drifts["01"]["costImpactMonthly"], 120.55);
    let approved = &drifts["03"];
    assert_eq!(approved["approvedBy"], "00000000-0000-4000-8000-000000000001");
    assert!(approved["approvedReason"].as_str().unwrap().starts_with("grown for the launch"), "{approved}");
    assert_eq!(approved["approvedAt"], "2025-05-03T11:00:00Z");
    assert_eq!(drifts["04"]["rejectedReason"], "must never be public");

    // A report of the approved state meets its decision.
    let as_grace = client.with_token(grace["accessToken"].as_str().unwrap());
    let report = json!({"resourceId": "db-1", "resourceType": "RDS",
        "expectedState": {"size": 20}, "actualState": {"size": 40}});
    let met = as_grace.post("/api/v1/drifts", &report).await.data();
    assert_eq!((&met["status"], &met["deduplicated"]), (&json!("approved"), &json!(true)));

    // Grace has read the alert, for herself.
    let alerts = async |client: &Client| list(client.get("/api/v1/alerts?limit=100").await.data());
    assert_eq!(alerts(&as_grace).await["01"]["isRead"], true);
    assert_eq!(alerts(&as_ada).await["01"]["isRead"], false);
    assert_eq!(alerts(&as_grace).await["03"]["isRead"], true);
    assert_eq!(alerts(&as_grace).await["04"]["severity"], "warning");
    let audit = as_ada.get("/api/v1/audit?action=legacy.drift_approved").await.data();
    assert_eq!(audit[0]["actor"], "00000000-0000-4000-8000-000000000001");
    assert_eq!((&audit[0]["from"], &audit[0]["to"]), (&json!("detected"), &json!("approved")));
}

#[tokio::test]
async fn what_was_deleted_here_does_not_come_back() {
    let moved = Move::new(Backend::Memory, ROWS).await;
    assert!(moved.import(&[]).status.success());
    {
        let (_process, client) = moved.start().await;
        let ada = log_in(&client, "ada@example.com", "Correct-Horse-7").await;
        let as_ada = client.with_token(ada["accessToken"].as_str().unwrap());
        for path in
            ["drifts/d0000000-0000-4000-8000-000000000002", "alerts/e0000000-0000-4000-8000-000000000004"]
        {
            as_ada.delete(&format!("/api/v1/{path}")).await.expect(StatusCode::OK);
        }
    }
    execute(&moved.old, "UPDATE drifts SET updated_at = now() WHERE resource_id = 'i-1'").await;
    let again = moved.import(&[]);
    let report = said(&again);
    assert!(report.contains("drifts: 0 imported, 8 already there"), "{report}");
    assert!(report.contains("alerts: 0 imported"), "{report}");
    assert!(
        report.contains("1 have changed in the old stack since they were imported; not updated"),
        "{report}"
    );
}

#[tokio::test]
async fn a_public_source_without_tls_is_refused() {
    let refused = Command::new(BINARY)
        .args(["import-legacy", "--from", "postgres://u:hunter2@203.0.113.7/db?connection_limit=5"])
        .env_clear()
        .envs([
            ("NODE_ENV", "production"),
            ("DATA_DIR", tempfile::tempdir().unwrap().path().to_str().unwrap()),
        ])
        .output()
        .unwrap();
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text.contains("--from names a public address without TLS") && !text.contains("hunter2"),
        "{text}"
    );
}

#[tokio::test]
async fn a_database_that_is_no_installation_is_refused() {
    let moved = Move::new(
        Backend::Memory,
        "DROP TABLE users, sessions, drifts, alerts CASCADE; DROP TABLE \"User\" CASCADE",
    )
    .await;
    let refused = moved.import(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("--from has no tables of the replaced stack"), "{}", said(&refused));
}

#[tokio::test]
async fn a_database_with_the_old_tables_is_noticed() {
    let mut moved = Move::new(Backend::Memory, ROWS).await;
    moved.new = Some(moved.old.clone());
    let imported = moved.import(&[]);
    let text = said(&imported);
    assert!(imported.status.success(), "{text}");
    assert!(text.contains("found tables of the replaced Node stack"), "{text}");
    assert!(
        !said(&moved.import(&[])).contains("found tables of the replaced"),
        "only before the first migration"
    );
}

#[tokio::test]
async fn rows_that_came_after_the_first_import_are_added() {
    let moved = Move::new(Backend::Real, ROWS).await;
    assert!(moved.import(&[]).status.success());
    let later = "INSERT INTO drifts (id, resource_id, resource_type, region, expected_state, actual_state, severity, \
        detected_at) VALUES ('d0000000-0000-4000-8000-000000000009', 'db-1', 'RDS', 'eu-west-1', '{\"size\": 20}', \
        '{\"size\": 80}', 'warning', '2025-07-01T10:00:00Z')";
    execute(&moved.old, later).await;
    let imported = moved.import(&[]);
    assert!(said(&imported).contains("drifts: 1 imported, 8 already there"), "{}", said(&imported));
    let (_process, client) = moved.start().await;
    let ada = log_in(&client, "ada@example.com", "Correct-Horse-7").await;
    let as_ada = client.with_token(ada["accessToken"].as_str().unwrap());
    let drifts = list(as_ada.get("/api/v1/drifts?limit=100").await.data());
    assert_eq!((&drifts["09"]["status"], &drifts["03"]["status"]), (&json!("detected"), &json!("resolved")));
}

/// Bounds memory, not time: a slow machine may take longer.
#[tokio::test]
async fn a_large_installation_needs_little_memory() {
    let rows = "INSERT INTO users (id, email, password_hash, role) \
          SELECT gen_random_uuid(), 'user' || n || '@example.com', '$2b$04$Tdjh7pwc8TT5ay/BCHwO2epgaXyksK3fJhkdyLJI9p1i.MwWsG8Li', \
            'viewer' FROM generate_series(1, 2000) AS n; \
        INSERT INTO drifts (id, resource_id, resource_type, region, expected_state, actual_state, severity, detected_at) \
          SELECT gen_random_uuid(), 'i-' || n, 'EC2', 'eu-west-1', jsonb_build_object('type', 'a', 'tags', repeat('x', 5000)), \
            jsonb_build_object('type', 'b', 'tags', repeat('x', 5000)), 'warning', now() FROM generate_series(1, 10000) AS n";
    let moved = Move::new(Backend::Real, rows).await;
    let arguments = ["import-legacy", "--from", &moved.old];
    let mut import = Command::new(BINARY);
    let import = import.args(arguments).env_clear().envs(moved.settings());
    let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", import.id());
    let mut peak = 0;
    while import.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(import.wait().unwrap().success());
    // The states of the source alone have 100 MB.
    assert!(peak > 0 && peak < 150 * 1024, "{peak} kB");
    let rows = moved.rows().await;
    assert_eq!((rows["auth.users"].len(), rows["drift.drifts"].len()), (2_000, 10_000));
}
