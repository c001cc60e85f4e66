//! Ends sessions in every way during faults: none may have a live socket or token afterwards.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::{Client, Method, Socket, StatusCode};
use uuid::Uuid;

use crate::{Deployment, Fault};

const PASSWORD: &str = "correct horse battery";
/// Time after the repair of a fault within which everything must work.
pub(crate) const RECOVERY: Duration = Duration::from_secs(5);
/// Time for which a fault goes on after the session has ended.
const HOLD: Duration = Duration::from_millis(500);

/// A way to end a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Logout,
    Terminate,
    TerminateOthers,
    PasswordChange,
    TokenReuse,
    /// A login beyond the number of sessions that the user may have.
    Eviction,
    Disable,
    Admin,
}

impl Ending {
    pub const ALL: [Self; 8] = [
        Self::Logout,
        Self::Terminate,
        Self::TerminateOthers,
        Self::PasswordChange,
        Self::TokenReuse,
        Self::Eviction,
        Self::Disable,
        Self::Admin,
    ];
}

/// A session that ended during a fault.
pub struct Trial {
    ending: Ending,
    fault: Option<Fault>,
    session: Session,
    /// Time from the response that ended the session until its sockets were closed.
    pub took: Duration,
    /// Time from which everything had to work again.
    pub mended: Instant,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.ending)?;
        if let Some(fault) = self.fault {
            write!(f, " during {fault}")?;
        }
        Ok(())
    }
}

/// A logged-in session of a user.
struct Session {
    id: String,
    access: String,
    refresh: String,
}

impl From<&Value> for Session {
    fn from(login: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a login answers with it").to_owned();
        Self {
            id: text(&login["session"]["id"]),
            access: text(&login["accessToken"]),
            refresh: text(&login["refreshToken"]),
        }
    }
}

/// Ends the first of a user's two sessions during a fault. The session has a socket on each gateway.
pub async fn trial(deployment: &Deployment, admin: &str, ending: Ending, fault: Option<Fault>) -> Trial {
    let auth = Client::new(deployment.auth[0].url());
    let credentials =
        json!({"email": format!("{}@example.com", Uuid::new_v4().simple()), "password": PASSWORD});
    let mut person = credentials.clone();
    person["name"] = "Trial".into();
    let signup = auth.post("/api/auth/signup", &person).await.expect(StatusCode::CREATED);
    let user = signup["data"]["user"]["id"].as_str().expect("an id").to_owned();
    let session = Session::from(&signup["data"]);
    let other =
        Session::from(&auth.post("/api/auth/login", &credentials).await.expect(StatusCode::OK)["data"]);

    let mut sockets = Vec::new();
    for gateway in &deployment.gateways {
        let url = format!("{}/ws", gateway.url().replace("http", "ws"));
        let bearer = format!("Bearer {}", session.access);
        let mut socket = Socket::connect_with(&url, &[("authorization", &bearer)]).await;
        socket.next_event("connection.authorized").await;
        // Polled all the time, so that the socket answers pings.
        sockets.push(tokio::spawn(async move { (socket.closed().await, Instant::now()) }));
    }

    let end = async || {
        end(&auth, admin, ending, &user, &credentials, &session, &other).await;
        Instant::now()
    };
    let end_and_ask = async || {
        let ended = end().await;
        let immediate = auth.with_token(&session.access).get("/api/auth/me").await;
        immediate.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        ended
    };
    let (ended, mended) = match fault {
        None => (end_and_ask().await, Instant::now()),
        // The replica that ended the session is killed just after its response.
        Some(fault @ Fault::AuthKilled(_)) => {
            let ended = end().await;
            (ended, fault.during(deployment, tokio::time::sleep(HOLD)).await.1)
        }
        Some(fault) => {
            let during = async {
                let ended = end_and_ask().await;
                tokio::time::sleep(HOLD).await;
                ended
            };
            fault.during(deployment, during).await
        }
    };
    let mut trial = Trial { ending, fault, session, took: Duration::ZERO, mended: mended.max(ended) };
    for socket in sockets {
        let limit = RECOVERY.saturating_sub(trial.mended.elapsed());
        let closed = tokio::time::timeout(limit, socket).await;
        let closed = closed.unwrap_or_else(|_| panic!("{trial}: a socket is still open"));
        let (code, at) = closed.expect("a socket that is read does not panic");
        assert!(matches!(code, Some(4403)), "{trial}: closed with {code:?}");
        trial.took = trial.took.max(at.saturating_duration_since(ended));
    }
    trial.assert_refused_everywhere(deployment, trial.mended).await;
    trial
}

async fn end(
    auth: &Client,
    admin: &str,
    ending: Ending,
    user: &str,
    credentials: &Value,
    session: &Session,
    other: &Session,
) {
    let as_other = auth.with_token(&other.access);
    let as_admin = auth.with_token(admin);
    match ending {
        Ending::Logout => auth.with_token(&session.access).post("/api/auth/logout", &json!({})).await,
        Ending::Terminate => as_other.delete(&format!("/api/auth/sessions/{}", session.id)).await,
        Ending::TerminateOthers => as_other.delete("/api/auth/sessions/all").await,
        Ending::PasswordChange => {
            let change = json!({"currentPassword": PASSWORD, "newPassword": format!("{PASSWORD}!")});
            as_other.post("/api/auth/password", &change).await
        }
        Ending::TokenReuse => {
            let first = json!({"refreshToken": session.refresh});
            let second = auth.post("/api/auth/refresh", &first).await.expect(StatusCode::OK);
            let second = json!({"refreshToken": second["data"]["refreshToken"]});
            auth.post("/api/auth/refresh", &second).await.expect(StatusCode::OK);
            // The successor has been used, and there is no grace period: another use means that the token was
            // stolen.
            let replay = auth.post("/api/auth/refresh", &first).await;
            replay.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
            return;
        }
        Ending::Eviction => auth.post("/api/auth/login", credentials).await,
        Ending::Disable => {
            as_admin.patch(&format!("/api/auth/users/{user}"), &json!({"isActive": false})).await
        }
        Ending::Admin => as_admin.delete(&format!("/api/auth/users/{user}/sessions")).await,
    }
    .expect(StatusCode::OK);
}

impl Trial {
    /// Asserts that every replica refuses the access token and the refresh token, soon after `mended`.
    pub async fn assert_refused_everywhere(&self, deployment: &Deployment, mended: Instant) {
        let mut targets = Vec::new();
        for replica in &deployment.auth {
            targets.push((replica.url(), "/api/auth/me"));
        }
        for replica in &deployment.drift {
            targets.push((replica.url(), "/api/v1/drifts"));
        }
        for (url, path) in targets {
            let client = Client::new(&url).with_token(&self.session.access);
            loop {
                let answer = client.request(Method::GET, path).timeout(Duration::from_secs(2)).send().await;
                if answer.is_ok_and(|answer| answer.status() == StatusCode::UNAUTHORIZED) {
                    break;
                }
                assert!(
                    mended.elapsed() < RECOVERY,
                    "{self}: the access token is still valid at {url}{path}"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let refresh = json!({"refreshToken": self.session.refresh});
        let auth = Client::new(deployment.auth[1].url());
        auth.post("/api/auth/refresh", &refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
}
