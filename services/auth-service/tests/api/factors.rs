//! The tools of the tests of second factors: an authenticator app, and the ways to add and to use it.

use auth_service::audit::entity as audit_log;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testing::{Answer, Client, StatusCode};
use totp_rs::{Builder, Secret, Totp};

use crate::app::{App, User};

/// An authenticator app.
pub(crate) struct Authenticator {
    totp: Totp,
    pub codes: Vec<String>,
}

impl Authenticator {
    pub(crate) fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).unwrap();
        let totp = Builder::new().with_secret(secret).with_account_name("account").build().unwrap();
        Self { totp, codes: Vec::new() }
    }

    /// The code that the app shows, so many steps from now.
    pub(crate) fn code(&self, app: &App, steps: i64) -> String {
        let at = app.state.platform.clock().now().timestamp() + 30 * steps;
        self.totp.generate(at.try_into().unwrap()).to_string()
    }
}

impl App {
    /// Returns the number of rows in the audit log with an action on a user.
    pub(crate) async fn audited(&self, user: &User, action: &str) -> usize {
        let rows = audit_log::Entity::find().all(&self.state.database).await.unwrap();
        rows.iter().filter(|row| row.user_id == Some(user.id) && row.action == action).count()
    }

    /// Adds an authenticator app to a user, and lets its first code pass.
    pub(crate) async fn add_authenticator(&self, user: &User) -> Authenticator {
        let begun = user.client.post("/api/auth/factors/totp", &json!({})).await.data();
        let mut authenticator = Authenticator::new(begun["secret"].as_str().unwrap());
        let code = json!({"code": authenticator.code(self, 0)});
        let confirmed = user.client.post("/api/auth/factors/totp/confirm", &code).await.data();
        authenticator.codes = texts(&confirmed["recoveryCodes"]);
        self.advance(chrono::TimeDelta::seconds(30));
        authenticator
    }

    /// Sends the password of a user who has a second factor. Returns the `mfaToken`.
    pub(crate) async fn first_step(&self, user: &User) -> String {
        let asked = self.try_log_in(&user.email, crate::app::PASSWORD).await.data();
        assert_eq!(asked["mfaRequired"], true, "{asked}");
        asked["mfaToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn second_step(&self, token: &str, proof: Value) -> Answer {
        second_step(&self.client, token, proof).await
    }
}

pub(crate) async fn second_step(client: &Client, token: &str, mut proof: Value) -> Answer {
    proof["mfaToken"] = json!(token);
    client.post("/api/auth/login/mfa", &proof).await
}

/// Raises a session with a code.
pub(crate) async fn step_up(client: &Client, code: &str) -> Answer {
    client.post("/api/auth/step-up", &json!({"code": code})).await
}

pub(crate) fn refused(answer: &Answer) {
    answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}
