//! The login of a person at a terminal, against a real server. The approval comes over HTTP.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use testing::{Process, StatusCode, eventually};

use crate::{App, BINARY, said, sample};

/// A person's configuration folder, at the terminal of a server.
struct Terminal<'a> {
    app: &'a App,
    home: tempfile::TempDir,
}

impl<'a> Terminal<'a> {
    fn at(app: &'a App) -> Self {
        Self { app, home: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".config/driftsentry/credentials.json")
    }

    /// The stored login to the server.
    fn stored(&self) -> Value {
        let stored: Value = serde_json::from_str(&fs::read_to_string(self.file()).unwrap()).unwrap();
        stored[self.app.client.base()].clone()
    }

    /// Lets the stored access token expire, as it does with time.
    fn expire(&self) {
        let mut stored: Value = serde_json::from_str(&fs::read_to_string(self.file()).unwrap()).unwrap();
        stored[self.app.client.base()]["accessExpiresAt"] = json!("2026-11-27T00:00:00Z");
        fs::write(self.file(), stored.to_string()).unwrap();
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear().env("HOME", self.home.path()).env("DRIFTSENTRY_URL", self.app.client.base());
        command.arg(name);
        command
    }

    fn run(&self, name: &str) -> Output {
        self.command(name).output().unwrap()
    }

    fn ingest(&self) -> Output {
        let plan = sample("fakeaws_1/plan.json.gz");
        self.command("ingest").args([plan.to_str().unwrap(), "--stack", "demo"]).output().unwrap()
    }

    /// Starts `driftsentry login`. Returns the process and its code.
    async fn start_login(&self, more: &[(&str, &str)]) -> (Process, String) {
        let (url, home) = (self.app.client.base(), self.home.path().to_str().unwrap());
        let arguments = ["login", "--server", url, "--name", "ann's laptop"];
        let environment = [("HOME", home)].into_iter().chain(more.iter().copied());
        let process = Process::spawn(Path::new(BINARY), &arguments, environment);
        process.wait_for_log("Its code is ").await;
        let log = process.log();
        let code = log.split("Its code is ").nth(1).unwrap()[.."BCDF-GHJK".len()].to_owned();
        assert!(log.contains(&format!("/#/device?code={code}")), "{log}");
        (process, code)
    }

    /// Logs in as a demo user. Returns the output.
    async fn log_in(&self, role: &str) -> String {
        let (mut process, code) = self.start_login(&[]).await;
        decide(self.app, role, &code, "approve").await;
        assert!(process.ended().await.success(), "{}", process.log());
        process.wait_for_log("Logged in to").await;
        process.log()
    }
}

async fn decide(app: &App, role: &str, code: &str, verb: &str) {
    let client = app.client.with_token(&app.token(role).await);
    client.post(&format!("/api/auth/device/{code}/{verb}"), &Value::Null).await.expect(StatusCode::OK);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_person_logs_in_sends_a_scan_and_logs_out() {
    let app = App::start().await;
    let terminal = Terminal::at(&app);
    let nobody = terminal.ingest();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(said(&nobody).contains("run: driftsentry login"), "{}", said(&nobody));
    assert!(!terminal.file().exists());

    let mut printed = terminal.log_in("engineer").await;
    assert!(printed.contains("as engineer@driftsentry.local"), "{printed}");
    assert_eq!(mode(&terminal.file()), 0o600);
    assert_eq!(mode(terminal.file().parent().unwrap()), 0o700);
    let left = fs::read_dir(terminal.file().parent().unwrap()).unwrap();
    let mut left = left.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    left.sort();
    assert_eq!(left, ["credentials.json", "lock"]);

    let sent = terminal.ingest();
    assert_eq!(sent.status.code(), Some(2), "{}", said(&sent));
    let shown = terminal.run("whoami");
    assert!(shown.status.success(), "{}", said(&shown));
    for expected in ["<engineer@driftsentry.local>", "engineer\n", app.client.base(), "Expires  20"] {
        assert!(said(&shown).contains(expected), "{expected}: {}", said(&shown));
    }

    // Another login to the same server ends the session of the one that it replaces.
    let tokens = |stored: &Value| {
        ["accessToken", "refreshToken"].map(|name| stored[name].as_str().unwrap().to_owned())
    };
    let first = tokens(&terminal.stored());
    printed += &terminal.log_in("engineer").await;
    let second = tokens(&terminal.stored());
    let me = async |token: &str| app.client.with_token(token).get("/api/auth/me").await.status;
    assert_eq!((me(&first[0]).await, me(&second[0]).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));

    let out = terminal.run("logout");
    assert!(out.status.success() && said(&out).contains("Logged out of"), "{}", said(&out));
    assert_eq!(me(&second[0]).await, StatusCode::UNAUTHORIZED);
    assert!(terminal.stored().is_null());
    let again = terminal.run("logout");
    assert!(again.status.success() && said(&again).contains("There is no login to"), "{}", said(&again));
    for output in [sent, shown, out, terminal.run("whoami")] {
        printed += &said(&output);
    }
    assert!(printed.contains("run: driftsentry login"), "{printed}");
    for token in [first, second].concat() {
        assert!(
            !printed.contains(&token) && !printed.contains(token.split('.').next_back().unwrap()),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn a_login_that_is_denied_or_interrupted_stores_nothing() {
    let app = App::start().await;
    let terminal = Terminal::at(&app);
    let (mut denied, code) = terminal.start_login(&[]).await;
    decide(&app, "viewer", &code, "deny").await;
    assert_eq!(denied.ended().await.code(), Some(1));
    denied.wait_for_log("the login was denied").await;

    let (mut interrupted, _) = terminal.start_login(&[]).await;
    let kill = Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status().unwrap();
    assert!(kill.success() && !interrupted.ended().await.success());
    assert_eq!(fs::read_dir(terminal.home.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_page_is_opened_in_a_browser_if_there_is_a_display() {
    let app = App::start().await;
    let terminal = Terminal::at(&app);
    let programs = tempfile::tempdir().unwrap();
    let opened = programs.path().join("opened");
    let script =
        format!("#!/bin/sh\nprintf '%s' \"$1\" >'{0}.new' && mv '{0}.new' '{0}'\n", opened.display());
    let program = programs.path().join("xdg-open");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.path().display());
    let (_login, code) = terminal.start_login(&[("PATH", &path), ("DISPLAY", ":0")]).await;
    eventually("the page is opened", async || opened.exists()).await;
    let page = fs::read_to_string(&opened).unwrap();
    assert!(page.starts_with("http://") && page.ends_with(&format!("/#/device?code={code}")), "{page}");
}

#[tokio::test]
async fn processes_at_once_refresh_an_expired_token_once() {
    let app = App::start().await;
    let terminal = Terminal::at(&app);
    terminal.log_in("engineer").await;
    let refreshes = async || {
        let metrics = app.client.get("/metrics").await.text;
        let line = metrics.lines().find(|line| {
            line.starts_with("auth_operations_total")
                && line.contains("\"refresh\"")
                && line.contains("success")
        });
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
    };
    for round in 1..=2 {
        let before = (refreshes().await, terminal.stored());
        terminal.expire();
        let piped = |mut command: Command| {
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let running = (0..6).map(|_| piped(terminal.command("whoami"))).collect::<Vec<_>>();
        for process in running {
            let output = process.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
        assert_eq!(refreshes().await, before.0 + 1, "round {round}");
        assert_ne!(terminal.stored()["refreshToken"], before.1["refreshToken"]);
        assert_eq!(mode(&terminal.file()), 0o600);
    }

    // A login whose session has ended is forgotten, and the message says what to do.
    let user = app.client.with_token(terminal.stored()["accessToken"].as_str().unwrap());
    user.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    let refused = terminal.ingest();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("run: driftsentry login"), "{}", said(&refused));
    terminal.expire();
    let ended = terminal.run("whoami");
    assert!(said(&ended).contains("has ended; run: driftsentry login"), "{}", said(&ended));
    assert!(terminal.stored().is_null());
}

#[tokio::test]
async fn an_unusable_folder_or_server_is_explained() {
    let app = App::start().await;
    let terminal = Terminal::at(&app);
    let nowhere = Command::new(BINARY).arg("login").env_clear().output().unwrap();
    assert!(said(&nowhere).contains("set HOME or XDG_CONFIG_HOME"), "{}", said(&nowhere));
    let away = terminal.command("login").args(["--server", "http://127.0.0.1:9"]).output().unwrap();
    assert!(said(&away).contains("cannot reach http://127.0.0.1:9"), "{}", said(&away));
    let odd = terminal.command("whoami").args(["--url", "127.0.0.1"]).output().unwrap();
    assert!(said(&odd).contains("--url must be a URL"), "{}", said(&odd));
    for output in [nowhere, away, odd] {
        assert_eq!(output.status.code(), Some(1));
    }
    fs::create_dir_all(terminal.file().parent().unwrap()).unwrap();
    fs::write(terminal.file(), "{\"secret-text").unwrap();
    let damaged = terminal.run("whoami");
    assert!(
        said(&damaged).contains("is damaged") && !said(&damaged).contains("secret-text"),
        "{}",
        said(&damaged)
    );
}
