//! The binary as a newcomer and a CI job use it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod accounts;
mod ci;
mod ci_files;
mod costs;
mod env_file;
mod guard;
mod import_legacy;
mod import_odd_rows;
mod infrastructure;
mod migrate_storage;
mod options;
mod passwords;
mod scan;
mod start;
mod token;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use testing::{Client, Process, Socket, StatusCode, free_port};

const BINARY: &str = env!("CARGO_BIN_EXE_driftsentry");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/samples");

/// `driftsentry` with only a port and a folder set.
struct App {
    process: Process,
    client: Client,
    data: tempfile::TempDir,
}

impl App {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let port = free_port().to_string();
        let folder = data.path().join("data").display().to_string();
        let environment: [(&str, &str); 1] = [("BCRYPT_COST", "4")];
        let arguments = ["--host", "127.0.0.1", "--port", &port, "--data-dir", &folder];
        let mut process = Process::spawn(Path::new(BINARY), &arguments, environment);
        let base = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&base).await;
        Self { process, client: Client::new(base), data }
    }

    async fn token(&self, role: &str) -> String {
        let credentials =
            json!({"email": format!("{role}@driftsentry.local"), "password": format!("{role}123")});
        let login = self.client.post("/api/auth/login", &credentials).await.expect(StatusCode::OK);
        login["data"]["accessToken"].as_str().unwrap().to_owned()
    }

    /// Creates a service token as an admin. Returns its id and its text.
    async fn service_token(&self) -> (String, String) {
        let admin = self.client.with_token(&self.token("admin").await);
        let wanted = json!({"name": "nightly scan", "role": "engineer"});
        let made = admin.post("/api/auth/tokens", &wanted).await.expect(StatusCode::CREATED);
        let text = |name: &str| made["data"][name].as_str().unwrap().to_owned();
        (text("id"), text("token"))
    }

    fn ingest(&self, file: &Path, arguments: &[&str], token: &str) -> Output {
        let mut command =
            ingest(&[file.to_str().unwrap(), "--stack", "demo", "--url", self.client.base()], token);
        command.args(arguments).output().unwrap()
    }
}

fn ingest(arguments: &[&str], token: &str) -> Command {
    let mut command = Command::new(BINARY);
    // A CI job may have environment variables of other programs.
    command.env_clear().env("NODE_ENV", "production").env("PORT", "1").env("DRIFTSENTRY_TOKEN", token);
    command.arg("ingest").args(arguments);
    command
}

fn sample(name: &str) -> std::path::PathBuf {
    Path::new(SAMPLES).join(name)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn the_exit_code_shows_whether_there_is_new_drift() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let plan = sample("fakeaws_20/scan1.plan.json.gz");

    let tried = app.ingest(&plan, &["--dry-run"], &token);
    assert_eq!(tried.status.code(), Some(2), "{}", said(&tried));
    let first = app.ingest(&plan, &[], &token);
    assert_eq!(first.status.code(), Some(2), "{}", said(&first));
    assert!(said(&first).contains("new            20"), "{}", said(&first));
    let again = app.ingest(&plan, &["--complete"], &token);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));

    let state = app.ingest(&sample("edge/state_not_a_plan.json.gz"), &[], &token);
    assert_eq!(state.status.code(), Some(1));
    assert!(said(&state).contains("state"), "{}", said(&state));
    let nobody = app.ingest(&plan, &[], "");
    assert_eq!(nobody.status.code(), Some(1));
    assert!(said(&nobody).contains("DRIFTSENTRY_TOKEN"), "{}", said(&nobody));
    let nowhere = ingest(&["-", "--stack", "x", "--url", "http://127.0.0.1:9", "--retries", "0"], &token)
        .stdin(Stdio::null())
        .output();
    assert_eq!(nowhere.unwrap().status.code(), Some(1));
}

#[tokio::test]
async fn a_plan_can_come_through_a_pipe() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let mut plan = Vec::new();
    let packed = std::fs::File::open(sample("fakeaws_1/plan.json.gz")).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut plan).unwrap();
    let mut child = ingest(&["-", "--stack", "pipe", "--url", app.client.base()], &token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&plan).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[tokio::test]
async fn a_service_token_works_everywhere_until_it_is_revoked() {
    let app = App::start().await;
    let (id, token) = app.service_token().await;
    let url = format!("{}/ws", app.client.base().replace("http", "ws"));
    let bearer = format!("Bearer {token}");
    let mut socket = Socket::connect_with(&url, &[("authorization", &bearer)]).await;
    socket.next_event("connection.authorized").await;

    let admin = app.client.with_token(&app.token("admin").await);
    admin.delete(&format!("/api/auth/tokens/{id}")).await.expect(StatusCode::OK);
    assert_eq!(socket.closed().await, Some(4403));
    let refused = app.ingest(&sample("fakeaws_1/plan.json.gz"), &[], &token);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
}

#[tokio::test]
async fn the_start_prints_all_addresses_and_help_works() {
    let mut app = App::start().await;
    let log = app.process.log();
    for expected in ["Console", "/ws", "SQLite in", "engineer@driftsentry.local  engineer123"] {
        assert!(log.contains(expected), "{log}");
    }
    let page = app.client.get("/").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let help = Command::new(BINARY).arg("--help").output().unwrap();
    for expected in ["--port", "--data-dir", "DATABASE_URL", "REDIS_URL", "ingest", "healthcheck"] {
        assert!(said(&help).contains(expected), "{}", said(&help));
    }
    let port = app.client.base().rsplit(':').next().unwrap().to_owned();
    let check =
        |port: &str| Command::new(BINARY).args(["--port", port, "healthcheck"]).status().unwrap().success();
    assert!(check(&port) && !check("9"));
    app.process.terminate();
    assert!(app.process.ended().await.success());
}

#[tokio::test]
async fn in_production_the_only_account_is_the_created_admin_s45() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let mut making = Command::new(BINARY)
        .args(["--data-dir", folder, "create-admin", "--email", "boss@example.com"])
        .env_clear()
        .env("NODE_ENV", "production")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    making.stdin.take().unwrap().write_all(b"correct horse battery staple\n").unwrap();
    assert!(making.wait().unwrap().success());

    let port = free_port().to_string();
    let arguments = ["--host", "127.0.0.1", "--port", &port, "--data-dir", folder];
    let mut process = Process::spawn(
        Path::new(BINARY),
        &arguments,
        [("NODE_ENV", "production"), ("METRICS_LISTEN", "127.0.0.1:0")],
    );
    let base = format!("http://127.0.0.1:{port}");
    process.wait_until_ready(&base).await;
    let client = Client::new(base);
    let log_in = async |email: &str, password: &str| {
        client.post("/api/auth/login", &json!({"email": email, "password": password})).await
    };
    let boss = log_in("boss@example.com", "correct horse battery staple").await.expect(StatusCode::OK);
    assert_eq!(boss["data"]["user"]["role"], "admin");
    log_in("admin@driftsentry.local", "admin123").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let stranger = json!({"name": "S", "email": "s@example.com", "password": "correct horse battery"});
    client.post("/api/auth/signup", &stranger).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[test]
fn an_invalid_setting_stops_the_start_with_one_line_that_names_it_s06() {
    let refusal = |name: &str, value: &str| {
        let data = tempfile::tempdir().unwrap();
        let output = Command::new(BINARY)
            .args(["--data-dir", data.path().to_str().unwrap()])
            .env_clear()
            .env("NODE_ENV", "production")
            .env("PORT", "0")
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {}", said(&output));
        said(&output)
    };
    for (name, value) in [
        ("JWT_ACCESS_SECRET", "short-and-hush"),
        ("JWT_REFRESH_SECRET", "short-and-hush"),
        ("DRIFT_HASH_SECRET", "short-and-hush"),
        ("DATABASE_URL", "mysql://short-and-hush@db/x"),
        ("CORS_ORIGIN", "*"),
    ] {
        let told = refusal(name, value);
        assert!(told.contains(name), "{name}: {told}");
        assert!(!told.contains("short-and-hush"), "{name}: {told}");
    }
    assert!(refusal("PORT", "many").contains("--port"));
}
