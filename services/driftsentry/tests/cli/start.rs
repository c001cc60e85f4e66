//! The access that a start gives to others, and the settings that it prints.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use testing::{Client, PrivateSentinels, Process, StatusCode, free_port};

use crate::BINARY;

async fn start(folder: &Path, environment: &[(&str, &str)]) -> (Process, Client) {
    let port = free_port().to_string();
    let arguments = ["--port", &port, "--data-dir", folder.to_str().unwrap()];
    let mut process = Process::spawn(Path::new(BINARY), &arguments, environment.iter().copied());
    let base = format!("http://127.0.0.1:{port}");
    process.wait_until_ready(&base).await;
    (process, Client::new(base))
}

/// Returns the local addresses, in hex, on which the kernel has a listener at the port of `client`.
fn listeners(client: &Client) -> Vec<String> {
    let port: u16 = client.base().rsplit(':').next().unwrap().parse().unwrap();
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let locals = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        let (address, own_port) = local.split_once(':')?;
        (state == "0A" && own_port == format!("{port:04X}")).then(|| address.to_owned())
    });
    locals.collect()
}

#[tokio::test]
async fn in_development_only_this_machine_can_connect_by_default_s71() {
    let data = tempfile::tempdir().unwrap();
    let (process, client) = start(data.path(), &[("BCRYPT_COST", "4")]).await;
    assert_eq!(listeners(&client), ["0100007F"]);
    assert!(process.log().contains("this machine only"), "{}", process.log());
    drop(process);

    let (process, client) = start(data.path(), &[("BCRYPT_COST", "4"), ("HOST", "0.0.0.0")]).await;
    assert_eq!(listeners(&client), ["00000000"]);
    assert!(process.log().contains("everybody who can reach port"), "{}", process.log());
}

#[tokio::test]
async fn in_production_strangers_see_neither_metrics_nor_dependencies_nor_a_default_origin_s71() {
    let data = tempfile::tempdir().unwrap();
    let environment = [("NODE_ENV", "production"), ("METRICS_LISTEN", "127.0.0.1:0")];
    let (process, client) = start(data.path(), &environment).await;
    client.get("/metrics").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(client.get("/health").await.expect(StatusCode::OK), json!({"status": "ok"}));
    let page = client.with_header("origin", "http://localhost:3000").get("/health").await;
    assert!(page.headers.get("access-control-allow-origin").is_none());

    let log = process.log();
    let operations = log.split("Operations  ").nth(1).unwrap().split("/health").next().unwrap();
    let operations = Client::new(operations);
    assert!(operations.get("/metrics").await.text.contains("auth_active_sessions"));
    assert!(operations.get("/health").await.text.contains("auth-database"));
}

#[tokio::test]
async fn any_folder_name_works_and_only_the_owner_can_read_its_files_s71_s77() {
    for name in ["plain", "100%", "a%20b", "what?mode=ro", "#1", "ü and space"] {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        // A file with the mode that 0.1.0 used.
        fs::write(folder.join("auth.db"), "").unwrap();
        fs::set_permissions(folder.join("auth.db"), fs::Permissions::from_mode(0o644)).unwrap();
        let (mut process, client) = start(&folder, &[("BCRYPT_COST", "4")]).await;
        client.get("/api/v1/drifts").await.expect(StatusCode::OK);

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        for file in ["auth.db", "drift.db", "auth.db-wal", "jwt_refresh.secret"] {
            assert!(files.contains(&folder.join(file)), "{name}: {files:?}");
        }
        assert_eq!(mode(&folder), 0o700, "{name}");
        for file in &files {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
        let beside = fs::read_dir(parent.path()).unwrap().count();
        assert_eq!(beside, 1, "{name}: nothing is created beside the folder");
        process.terminate();
        assert!(process.ended().await.success());
    }
}

#[tokio::test]
async fn an_unusable_setting_is_named_and_its_value_never_shown_s68() {
    let refusal = async |name: &str, environment: &[(&str, &str)]| {
        let data = tempfile::tempdir().unwrap();
        let arguments = ["--data-dir", data.path().to_str().unwrap(), "--port", "0"];
        let always = [("METRICS_LISTEN", "127.0.0.1:0"), ("RUST_BACKTRACE", "1")];
        let environment = always.iter().chain(environment).copied();
        let mut process = Process::spawn(Path::new(BINARY), &arguments, environment);
        assert_eq!(process.ended().await.code(), Some(1), "{}", process.log());
        process.wait_for_log(name).await;
        process.log()
    };
    for (name, value) in [
        ("DATABASE_URL", "postgres://user:hunter2/x@127.0.0.1:1/db"),
        ("DATABASE_URL", "postgres://user:hunter2@127.0.0.1:many/db"),
        ("DATABASE_URL", "postgres://user:hunter2@127.0.0.1:1/db"),
        ("DATABASE_URL", "postgres://user:hunter2@127.0.0.1:1/db?sslmode=hunter2"),
        ("DATABASE_URL", "postgres://user:hunter2@127.0.0.1:1/db?schema=hunter2"),
        ("DATABASE_URL", "mysql://user:hunter2@127.0.0.1:1/db"),
        ("DATABASE_URL", "hunter2"),
        ("REDIS_URL", "redis://user:hunter2/x@127.0.0.1:1"),
        ("REDIS_URL", "redis://user:hunter2@127.0.0.1:many"),
        ("REDIS_URL", "redis://user:hunter2@127.0.0.1:1/many"),
        ("REDIS_URL", "http://user:hunter2@127.0.0.1:1"),
        ("REDIS_URL", "hunter2"),
        ("REDIS_URL", "redis+sentinel://user:hunter2@127.0.0.1:1"),
        ("REDIS_URL", "redis+cluster://user:hunter2@127.0.0.1:1/hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2/x@127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2 hunter2"),
    ] {
        for environment in ["development", "production"] {
            let told = refusal(name, &[(name, value), ("NODE_ENV", environment)]).await;
            assert!(told.contains(name), "{name}={value}: {told}");
            assert!(!told.contains("hunter2"), "{name}={value}: {told}");
            assert!(!told.contains("backtrace"), "{name}={value}: {told}");
        }
    }
    for (name, value) in [
        ("DATABASE_URL", "postgres://u:hunter2@203.0.113.7:1/db"),
        ("REDIS_URL", "redis://:hunter2@203.0.113.7:1"),
        ("REDIS_URL", "redis+sentinel://:hunter2@10.0.0.1,203.0.113.7/main"),
        ("REDIS_URL", "redis+cluster://:hunter2@10.0.0.1,203.0.113.7"),
    ] {
        let told = refusal(name, &[(name, value), ("NODE_ENV", "production")]).await;
        assert!(told.contains(name) && told.contains("ALLOW_PLAINTEXT"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn a_primary_at_a_public_address_that_sentinels_name_needs_tls_s61() {
    let group = PrivateSentinels::start().await;
    let url = group.url();
    let (servers, _) = url.strip_prefix("redis+sentinel://").unwrap().split_once('/').unwrap();
    for server in servers.split(',') {
        let mut sentinel = TcpStream::connect(server).unwrap();
        sentinel.write_all(b"SENTINEL MONITOR far 203.0.113.7 6379 2\r\n").unwrap();
        let mut answer = String::new();
        BufReader::new(sentinel).read_line(&mut answer).unwrap();
        assert_eq!(answer, "+OK\r\n");
    }
    let public = format!("redis+sentinel://u:hunter2@{servers}/far");
    let logs = async |environment: &str, expected: &str| {
        let data = tempfile::tempdir().unwrap();
        let arguments = ["--data-dir", data.path().to_str().unwrap(), "--port", "0"];
        let settings = [("METRICS_LISTEN", "127.0.0.1:0"), ("NODE_ENV", environment), ("REDIS_URL", &public)];
        let process = Process::spawn(Path::new(BINARY), &arguments, settings);
        process.wait_for_log(expected).await;
        assert!(!process.log().contains("hunter2"), "{}", process.log());
        process.log()
    };
    let refusal = "REDIS_URL leads to a server at a public address without TLS";
    logs("production", refusal).await;
    let told = logs("development", "cannot subscribe to Redis").await;
    assert!(!told.contains(refusal), "{told}");
}
