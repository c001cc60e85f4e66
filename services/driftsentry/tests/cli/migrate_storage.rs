//! The move of a data folder from SQLite to PostgreSQL.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testing::{
    Client, Method, PrivatePostgres, Process, StatusCode, eventually, execute, free_port, read_all_tables,
};

use crate::{BINARY, ingest, said, sample};

/// Rates every drift of the stack, so that the rule is used, and raises an alert for each.
const RULES: &str = "alert_threshold = \"info\"\n[[rule]]\nclass = \"warning\"\nstack = \"demo\"\n";

/// A data folder, and the settings of the servers on it.
struct Installation {
    folder: tempfile::TempDir,
    postgres: String,
}

impl Installation {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rules.toml"), RULES).unwrap();
        Self { folder, postgres: PrivatePostgres::shared().create_database().await }
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn sqlite(&self, service: &str) -> String {
        format!("sqlite://{}/{service}.db?mode=rwc", self.data())
    }

    async fn copies(&self, service: &str) -> BTreeMap<String, Vec<String>> {
        read_all_tables(&format!("{}?options[search_path]={service}", self.postgres)).await
    }

    async fn start(&self, settings: &[(&str, &str)]) -> (Process, Client) {
        let (port, data) = (free_port().to_string(), self.data());
        let rules = self.folder.path().join("rules.toml").display().to_string();
        let own = [("BCRYPT_COST", "4"), ("COMPAT_ROUTES", "true"), ("DRIFT_RULES", rules.as_str())];
        let own = own.into_iter().chain([("ALLOW_PRIVATE_WEBHOOKS", "true")]);
        let environment = own.chain(settings.iter().copied());
        let arguments = ["--port", &port, "--data-dir", &data];
        let mut process = Process::spawn(Path::new(BINARY), &arguments, environment);
        let base = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&base).await;
        (process, Client::new(base).with_header("x-api-contract", "current"))
    }

    fn move_to(&self, url: &str) -> Output {
        let data = self.data();
        let arguments = ["migrate-storage", "--data-dir", &data, "--to", url];
        Command::new(BINARY).args(arguments).env_clear().output().unwrap()
    }

    fn fails(&self, url: &str, reason: &str) {
        let refused = self.move_to(url);
        assert_eq!(refused.status.code(), Some(1));
        assert!(said(&refused).contains(reason), "{}", said(&refused));
        assert!(!said(&refused).contains("hunter2"), "{}", said(&refused));
    }
}

async fn log_in(client: &Client, role: &str) -> Value {
    let credentials = json!({"email": format!("{role}@driftsentry.local"), "password": format!("{role}123")});
    client.post("/api/auth/login", &credentials).await.data()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// Uses the server so that every table gets rows. Returns the login of the admin.
async fn use_everything(client: &Client) -> Value {
    let wrong = json!({"email": "viewer@driftsentry.local", "password": "a wrong password"});
    client.post("/api/auth/login", &wrong).await.expect(StatusCode::UNAUTHORIZED);
    let (admin, engineer) = (log_in(client, "admin").await, log_in(client, "engineer").await);
    let as_admin = client.with_token(text(&admin, "accessToken"));
    let as_engineer = client.with_token(text(&engineer, "accessToken"));
    let wanted = json!({"name": "nightly scan", "role": "engineer"});
    as_admin.post("/api/auth/tokens", &wanted).await.expect(StatusCode::CREATED);
    let settings = as_admin.request(Method::PUT, "/api/v1/users/me/settings").json(&json!({"theme": "dark"}));
    as_admin.send(settings).await.expect(StatusCode::OK);

    let forgotten = json!({"email": "viewer@driftsentry.local"});
    client.post("/api/auth/password/forgot", &forgotten).await.expect(StatusCode::ACCEPTED);
    testing::eventually("the mail is sent", async || {
        !client.get("/api/auth/dev/mail").await.data().as_array().unwrap().is_empty()
    })
    .await;

    let target = json!({"kind": "webhook", "url": "http://127.0.0.1:1/nobody-listens"});
    let destination = json!({"name": "Test", "target": target});
    as_admin.post("/api/v1/notifications/destinations", &destination).await.expect(StatusCode::CREATED);
    let plan = sample("fakeaws_20/scan1.plan.json.gz");
    let arguments = [plan.to_str().unwrap(), "--stack", "demo", "--url", client.base()];
    let sent = ingest(&arguments, text(&engineer, "accessToken")).output().unwrap();
    assert_eq!(sent.status.code(), Some(2), "{}", said(&sent));
    let drifts = as_engineer.get("/api/v1/drifts?limit=1").await.data();
    let approve = format!("/api/v1/drifts/{}/approve", text(&drifts[0], "id"));
    let once = as_admin.with_header("idempotency-key", "once");
    once.post(&approve, &json!({"reason": "intended"})).await.data();
    let alerts = as_engineer.get("/api/v1/alerts?limit=1").await.data();
    as_engineer.post(&format!("/api/v1/alerts/{}/read", text(&alerts[0], "id")), &json!({})).await.data();
    as_admin.post("/api/v1/alerts/read-all", &json!({})).await.data();
    let comments = format!("/api/v1/drifts/{}/comments", text(&drifts[0], "id"));
    as_engineer.post(&comments, &json!({"text": "seen"})).await.data();
    as_admin.post("/api/v1/views", &json!({"name": "Prod", "query": "stack=prod"})).await.data();
    // A row of rules that leaves the drifts as they are.
    let first = as_admin.with_header("if-match", "\"v0\"");
    let rules = json!({"rules": [{"class": "info", "pattern": "none.none"}]});
    first.send(first.request(Method::PUT, "/api/v1/drifts/rules").json(&rules)).await.data();
    admin
}

/// Reads the lists of the API, as the admin sees them.
async fn lists(client: &Client, token: &str) -> Vec<Value> {
    let client = client.with_token(token);
    let mut lists = Vec::new();
    let of_drifts = ["drifts?limit=100", "alerts?limit=100", "audit?limit=100", "metrics/summary"];
    for path in of_drifts.into_iter().chain(["drifts/rules", "views"]) {
        lists.push(client.get(&format!("/api/v1/{path}")).await.data());
    }
    lists.push(client.get("/api/v1/users/me").await.data());
    for path in ["tokens", "audit?limit=100"] {
        lists.push(client.get(&format!("/api/auth/{path}")).await.data());
    }
    lists
}

#[tokio::test]
async fn everything_moves_to_postgres_and_old_sessions_tokens_and_drifts_work_there() {
    let installation = Installation::new().await;
    let (mut server, client) = installation.start(&[]).await;
    let admin = use_everything(&client).await;
    let (access, refresh) = (text(&admin, "accessToken"), text(&admin, "refreshToken"));
    let shown = lists(&client, access).await;
    // Deliveries that fail make an event of notify-service.
    eventually("an event of each service", async || {
        !read_all_tables(&installation.sqlite("notify")).await["outbox"].is_empty()
    })
    .await;
    installation.fails(&installation.postgres, "driftsentry is running on it; stop it first");
    server.terminate();
    assert!(server.ended().await.success());
    // An event that was committed but not published.
    let unpublish = "UPDATE outbox SET published_at = NULL WHERE id = (SELECT max(id) FROM outbox)";
    execute(&installation.sqlite("drift"), unpublish).await;
    // Slack would have to be reached for these.
    for rows in [
        "notify_slack_threads SELECT id, 'drift:1', 'C1', '1.2', \"createdAt\"",
        "notify_slack_links SELECT id, id, 'U1', 'ann', 'user', 'sealed', \"createdAt\", \"createdAt\"",
    ] {
        execute(&installation.sqlite("notify"), &format!("INSERT INTO {rows} FROM notify_destinations"))
            .await;
    }

    let moved = installation.move_to(&installation.postgres);
    assert!(moved.status.success(), "{}", said(&moved));
    for expected in ["drift.drifts: 20 rows", "auth.users: 3 rows", "Everything is moved"] {
        assert!(said(&moved).contains(expected), "{}", said(&moved));
    }
    for service in ["auth", "drift", "notify"] {
        let mut old = read_all_tables(&installation.sqlite(service)).await;
        let mut new = installation.copies(service).await;
        let migrations = format!("{service}_migrations");
        assert_eq!(old.remove(&migrations).unwrap().len(), new.remove(&migrations).unwrap().len());
        for (table, rows) in &old {
            assert!(!rows.is_empty(), "this test writes no row into {service}.{table}");
        }
        assert_eq!(old, new);
    }
    installation.fails(&installation.postgres, "the target is not empty");

    let (_server, client) = installation.start(&[("DATABASE_URL", &installation.postgres)]).await;
    assert_eq!(lists(&client, access).await, shown);
    let renewed = client.post("/api/auth/refresh", &json!({"refreshToken": refresh})).await.data();
    let client = client.with_token(text(&renewed, "accessToken"));
    let decided = shown[0].as_array().unwrap().iter().find(|drift| drift["status"] == "approved").unwrap();
    let approve = format!("/api/v1/drifts/{}/approve", text(decided, "id"));
    let once = client.with_header("idempotency-key", "once");
    once.post(&approve, &json!({"reason": "intended"})).await.expect(StatusCode::OK);
    let open = shown[0].as_array().unwrap().iter().find(|drift| drift["status"] == "detected").unwrap();
    let reject = format!("/api/v1/drifts/{}/reject", text(open, "id"));
    client.post(&reject, &json!({"reason": "a mistake"})).await.data();
    log_in(&client, "viewer").await;
    eventually("the waiting event to be published", async || {
        installation.copies("drift").await["outbox"].iter().all(|row| !row.contains("published_at=NULL"))
    })
    .await;
}

#[tokio::test]
async fn a_move_that_fails_in_the_second_service_moves_nothing_of_the_first() {
    let installation = Installation::new().await;
    installation.fails(&installation.postgres, "there is nothing to move");
    assert!(!Path::new(&installation.data()).exists(), "a refusal creates no folder");
    let (mut server, client) = installation.start(&[]).await;
    use_everything(&client).await;
    server.terminate();
    assert!(server.ended().await.success());

    let update = |value: &str| format!("UPDATE stack_scopes SET \"lastScanAt\" = '{value}'");
    execute(&installation.sqlite("drift"), &update("yesterday, I think")).await;
    installation.fails(&installation.postgres, "cannot copy stack_scopes");
    for service in ["auth", "drift"] {
        assert_eq!(installation.copies(service).await, BTreeMap::new());
    }
    execute(&installation.sqlite("drift"), &update("2026-11-27T07:00:00+00:00")).await;
    let moved = installation.move_to(&installation.postgres);
    assert!(moved.status.success(), "{}", said(&moved));
}

#[tokio::test]
async fn an_unusable_target_is_refused_without_its_password_and_no_server_starts_during_a_move() {
    let installation = Installation::new().await;
    let (mut server, _) = installation.start(&[]).await;
    server.terminate();
    assert!(server.ended().await.success());
    for (url, reason) in [
        ("postgres://u:hunter2@127.0.0.1:1/db", "--to cannot be used"),
        ("postgres://u:hunter2@127.0.0.1/db?schema=own", "--to must not name a schema"),
        ("sqlite://hunter2.db", "--to must be a postgres:// URL"),
        ("hunter2", "--to must be a URL"),
    ] {
        installation.fails(url, reason);
    }
    let data = installation.data();
    let public = "--to=postgres://u:hunter2@203.0.113.7/db";
    let arguments = ["migrate-storage", "--data-dir", &data, "--environment=production", public];
    let refused = Command::new(BINARY).args(arguments).env_clear().output().unwrap();
    assert!(said(&refused).contains("ALLOW_PLAINTEXT"), "{}", said(&refused));

    let lock = File::options().append(true).open(Path::new(&data).join("sqlite.lock")).unwrap();
    lock.lock().unwrap();
    let mut second = Process::spawn(Path::new(BINARY), &["--data-dir", &data], [("PORT", "0")]);
    assert_eq!(second.ended().await.code(), Some(1));
    second.wait_for_log("its SQLite files are being moved").await;
}
