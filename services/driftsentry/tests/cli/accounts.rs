//! The commands that change accounts, beside a running server.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use testing::{Socket, StatusCode};

use crate::{App, BINARY, said};

impl App {
    /// Runs a command on the data folder of the server.
    fn command(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .env_clear()
            .env("DATA_DIR", self.data.path().join("data"))
            .env("BCRYPT_COST", "4");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        child.wait_with_output().unwrap()
    }
}

#[tokio::test]
async fn a_reset_password_closes_the_sockets_of_a_running_server() {
    let app = App::start().await;
    let token = app.token("engineer").await;
    let url = format!("{}/ws", app.client.base().replace("http", "ws"));
    let mut socket = Socket::connect_with(&url, &[("authorization", &format!("Bearer {token}"))]).await;
    socket.next_event("connection.authorized").await;

    let reset = ["reset-password", "--email", "engineer@driftsentry.local"];
    let output = app.command(&reset, "battery staple\n");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(socket.closed().await, Some(4403));
    app.client.with_token(&token).get("/api/auth/me").await.expect(StatusCode::UNAUTHORIZED);
    let login = json!({"email": "engineer@driftsentry.local", "password": "battery staple"});
    app.client.post("/api/auth/login", &login).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn promote_reaches_a_running_server() {
    let app = App::start().await;
    let promote = ["create-admin", "--promote", "--email", "viewer@driftsentry.local"];
    let output = app.command(&promote, "");
    assert!(output.status.success(), "{}", said(&output));
    let viewer = app.client.with_token(&app.token("viewer").await);
    viewer.get("/api/auth/users").await.expect(StatusCode::OK);
}
