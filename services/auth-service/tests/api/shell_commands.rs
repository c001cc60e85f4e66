//! Changes of accounts from a shell, beside a running service.

use std::path::Path;

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Process, StatusCode, Stores, eventually, free_port};

use crate::startup::{GOOD, run};

const NEW: &str = "battery staple\n";

/// A running auth-service with the demo users, and the settings that commands share with it.
struct Service {
    client: Client,
    environment: Vec<(&'static str, String)>,
    _process: Process,
    _stores: Stores,
}

impl Service {
    async fn start(backend: Backend) -> Self {
        let stores = backend.start().await;
        let port = free_port();
        let environment = vec![
            ("PORT", port.to_string()),
            ("HOST", "127.0.0.1".into()),
            ("DATABASE_URL", stores.database_url().await),
            ("REDIS_URL", stores.redis_url()),
            ("JWT_ACCESS_SECRET", GOOD.into()),
            ("JWT_REFRESH_SECRET", GOOD.into()),
            ("BCRYPT_COST", "4".into()),
        ];
        let program = Path::new(env!("CARGO_BIN_EXE_auth-service"));
        let mut process = Process::spawn(program, &[], environment.clone());
        let client = Client::new(format!("http://127.0.0.1:{port}"));
        process.wait_until_ready(client.base()).await;
        Self { client, environment, _process: process, _stores: stores }
    }

    /// Runs a command with a line of input. Returns its log if it succeeds, or its error.
    fn command(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let environment = self.environment.iter().map(|(name, value)| (*name, value.as_str()));
        let output = run(arguments, &environment.collect::<Vec<_>>(), input);
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(log) } else { Err(log) }
    }

    async fn try_log_in(&self, role: &str, password: &str) -> Answer {
        let email = format!("{role}@driftsentry.local");
        self.client.post("/api/auth/login", &json!({"email": email, "password": password})).await
    }

    async fn log_in(&self, role: &str) -> (Client, Value) {
        let login = self.try_log_in(role, &format!("{role}123")).await.data();
        (self.client.with_token(login["accessToken"].as_str().unwrap()), login)
    }

    async fn audit(&self, action: &str) -> Vec<Value> {
        let (admin, _) = self.log_in("admin").await;
        admin.get(&format!("/api/auth/audit?action={action}")).await.data().as_array().unwrap().clone()
    }
}

#[rstest]
#[actix_web::test]
async fn promote_makes_an_existing_account_an_active_admin_and_keeps_its_password(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let service = Service::start(backend).await;
    let (viewer, login) = service.log_in("viewer").await;
    let (admin, _) = service.log_in("admin").await;
    let id = &login["user"]["id"];
    admin
        .patch(&format!("/api/auth/users/{}", id.as_str().unwrap()), &json!({"isActive": false}))
        .await
        .data();
    viewer.get("/api/auth/me").await.expect(StatusCode::UNAUTHORIZED);
    let create = ["create-admin", "--email", "viewer@driftsentry.local"];
    let refusal = service.command(&create, NEW).unwrap_err();
    assert!(refusal.contains("--promote"), "{refusal}");
    assert!(service.audit("user_updated").await.len() == 1);

    service.command(&[&create[..], &["--promote"]].concat(), "").unwrap();
    let (promoted, login) = service.log_in("viewer").await;
    assert_eq!(login["user"]["role"], "admin");
    promoted.get("/api/auth/users").await.expect(StatusCode::OK);
    let audit = service.audit("user_updated").await;
    assert_eq!(audit.len(), 2);
    assert_eq!((&audit[0]["userId"], &audit[0]["detail"]), (id, &json!("role=admin active=true")));
    assert_eq!(audit[0]["actorId"], Value::Null);

    let new = ["create-admin", "--promote", "--email", "new@example.com"];
    service.command(&new, NEW).unwrap();
    let new = json!({"email": "new@example.com", "password": NEW.trim()});
    let new = service.client.post("/api/auth/login", &new).await.data();
    assert_eq!(new["user"]["role"], "admin", "an account that does not exist is created");
}

#[rstest]
#[actix_web::test]
async fn a_reset_password_ends_sessions_and_tokens_and_lifts_locks(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let service = Service::start(backend).await;
    let (engineer, login) = service.log_in("engineer").await;
    let (bystander, _) = service.log_in("viewer").await;
    for _ in 0..10 {
        service.try_log_in("engineer", "a wrong password").await.expect(StatusCode::UNAUTHORIZED);
    }
    service.try_log_in("engineer", "engineer123").await.expect(StatusCode::TOO_MANY_REQUESTS);
    let reset = ["reset-password", "--email", "Engineer@driftsentry.local"];
    for (arguments, input, reason) in [
        (&reset[..], "short\n", "8 to 255"),
        (&reset[..], "", "8 to 255"),
        (&["reset-password", "--email", "nobody@example.com"], NEW, "there is no such user"),
        (&["reset-password", "--email", "nobody"], NEW, "--email"),
    ] {
        let refusal = service.command(arguments, input).unwrap_err();
        assert!(refusal.contains(reason) && !refusal.contains(NEW.trim()), "{refusal}");
    }
    engineer.get("/api/auth/me").await.expect(StatusCode::OK);

    let log = service.command(&reset, NEW).unwrap();
    assert!(!log.contains(NEW.trim()), "{log}");
    let refresh = json!({"refreshToken": login["refreshToken"]});
    service.client.post("/api/auth/refresh", &refresh).await.expect(StatusCode::UNAUTHORIZED);
    eventually("the access token to be refused", async || {
        engineer.get("/api/auth/me").await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    service.try_log_in("engineer", "engineer123").await.expect(StatusCode::UNAUTHORIZED);
    service.try_log_in("engineer", NEW.trim()).await.expect(StatusCode::OK);
    bystander.get("/api/auth/me").await.expect(StatusCode::OK);
    let id = &login["user"]["id"];
    for (action, detail) in
        [("password_reset", None), ("locks_lifted", None), ("session_ended", Some("password_changed"))]
    {
        let audit = service.audit(action).await;
        assert_eq!(audit.len(), 1, "{action}");
        assert_eq!((&audit[0]["userId"], &audit[0]["detail"]), (id, &json!(detail)), "{action}");
    }
}
