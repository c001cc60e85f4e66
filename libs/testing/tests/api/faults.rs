use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use testing::{PrivateRedis, Process, Proxy, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

async fn set(redis: &PrivateRedis, value: &str) {
    let mut connection = redis.connect().await;
    redis::cmd("SET").arg("key").arg(value).query_async(&mut connection).await.unwrap()
}

async fn get(redis: &PrivateRedis) -> Option<String> {
    redis::cmd("GET").arg("key").query_async(&mut redis.connect().await).await.unwrap()
}

#[tokio::test]
async fn a_killed_redis_restarts_with_its_data_or_empty() {
    let redis = PrivateRedis::start();
    set(&redis, "1").await;
    redis.kill();
    redis.restart();
    assert_eq!(get(&redis).await.as_deref(), Some("1"));
    redis.restart_empty();
    assert_eq!(get(&redis).await, None);
}

#[tokio::test]
async fn a_frozen_redis_responds_after_the_thaw() {
    let redis = PrivateRedis::start();
    redis.freeze();
    timeout(Duration::from_millis(100), get(&redis)).await.unwrap_err();
    redis.thaw();
    assert_eq!(get(&redis).await, None);
}

async fn echo_server() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await.ok();
            });
        }
    });
    address
}

async fn echo(stream: &mut TcpStream) -> std::io::Result<u8> {
    stream.write_all(b"x").await?;
    stream.read_u8().await
}

#[tokio::test]
async fn a_stalled_line_delivers_after_it_is_resumed() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echo(&mut stream).await.unwrap(), b'x');
    proxy.stall();
    timeout(Duration::from_millis(100), echo(&mut stream)).await.unwrap_err();
    proxy.resume();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn a_cut_ends_open_connections_and_new_ones_until_resumed() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echo(&mut open).await.unwrap(), b'x');
    proxy.cut();
    echo(&mut open).await.unwrap_err();
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    echo(&mut new).await.unwrap_err();
    proxy.resume();
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echo(&mut again).await.unwrap(), b'x');
}

#[tokio::test]
async fn a_process_is_logged_and_ends_when_asked() {
    let script = "echo said; echo cried >&2; exec sleep 60";
    let mut process = Process::spawn(Path::new("sh"), &["-c", script], [("A", "b")]);
    process.wait_for_log("said").await;
    process.wait_for_log("cried").await;
    assert!(process.exit_status().is_none());
    process.terminate();
    assert!(!process.ended().await.success());
}

#[tokio::test]
async fn started_processes_end_when_the_test_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    // When the tests run as root, Postgres runs as another user.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let mut holder = Command::new(env!("CARGO_BIN_EXE_private-postgres"))
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    holder.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    let mut url = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    assert!(url.starts_with("postgres://"), "{url}");
    let files = || folder.path().read_dir().unwrap().count();
    assert_eq!(files(), 1);
    holder.kill().unwrap();
    holder.wait().unwrap();
    eventually("the server and its folder to be gone", async || files() == 0).await;
}
