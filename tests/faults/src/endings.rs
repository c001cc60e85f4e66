//! Ends sessions in every way during faults: none may have a live socket or token afterwards.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::{Client, Method, Socket, StatusCode};
use uuid::Uuid;

use crate::Deployment;

const PASSWORD: &str = "correct horse battery";
/// Time after the repair within which the last socket and token must be invalid.
const RECOVERY: Duration = Duration::from_secs(5);

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

/// The fault during which the session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Nothing,
    RedisKilled,
    RedisFrozen,
    GatewayFrozen,
    DriftFrozen,
    /// The replica that ended the session is killed just after its response.
    AuthKilled,
}

impl Trouble {
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::RedisKilled,
        Self::RedisFrozen,
        Self::GatewayFrozen,
        Self::DriftFrozen,
        Self::AuthKilled,
    ];
}

/// Time from the response that ended the session until its socket was closed.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    pub ending: Ending,
    pub trouble: Trouble,
    pub took: Duration,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ending, trouble, took } = self;
        write!(f, "{ending:?} while {trouble:?}: {} ms", took.as_millis())
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

/// Ends the first of a user's two sessions, which has a socket on each gateway.
pub async fn trial(deployment: &Deployment, admin: &str, ending: Ending, trouble: Trouble) -> Trial {
    let auth = Client::new(deployment.auth[0].url());
    let credentials =
        json!({"email": format!("{}@example.com", Uuid::new_v4().simple()), "password": PASSWORD});
    let mut person = credentials.clone();
    person["name"] = "Trial".into();
    let signup = auth.post("/api/auth/signup", &person).await.expect(StatusCode::CREATED);
    let user = signup["data"]["user"]["id"].as_str().expect("an id").to_owned();
    let ending_one = Session::from(&signup["data"]);
    let other =
        Session::from(&auth.post("/api/auth/login", &credentials).await.expect(StatusCode::OK)["data"]);

    let mut sockets = Vec::new();
    for gateway in &deployment.gateways {
        let url = format!("{}/ws", gateway.url().replace("http", "ws"));
        let bearer = format!("Bearer {}", ending_one.access);
        let mut socket = Socket::connect_with(&url, &[("authorization", &bearer)]).await;
        socket.next_event("connection.authorized").await;
        sockets.push(socket);
    }

    begin(deployment, trouble);
    end(&auth, admin, ending, &user, &credentials, &ending_one, &other).await;
    let ended = Instant::now();
    if trouble == Trouble::AuthKilled {
        deployment.auth[0].kill();
    } else {
        let immediate = auth.with_token(&ending_one.access).get("/api/auth/me").await;
        immediate.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    let mended = mend(deployment, trouble).await;
    let mut took = Duration::ZERO;
    for socket in &mut sockets {
        let limit = RECOVERY.saturating_sub(mended.elapsed());
        let code = tokio::time::timeout(limit, socket.closed()).await;
        let code = code.unwrap_or_else(|_| panic!("{ending:?} while {trouble:?}: a socket is still open"));
        assert!(matches!(code, Some(4403)), "{ending:?} while {trouble:?}: closed with {code:?}");
        took = took.max(ended.elapsed());
    }
    refused_everywhere(deployment, &ending_one, mended).await;
    Trial { ending, trouble, took }
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

fn begin(deployment: &Deployment, trouble: Trouble) {
    match trouble {
        Trouble::Nothing | Trouble::AuthKilled => {}
        Trouble::RedisKilled => deployment.redis.kill(),
        Trouble::RedisFrozen => deployment.redis.freeze(),
        Trouble::GatewayFrozen => deployment.gateways.iter().for_each(crate::Replica::freeze),
        Trouble::DriftFrozen => deployment.drift.iter().for_each(crate::Replica::freeze),
    }
}

/// Repairs the fault. Returns the time of the repair.
async fn mend(deployment: &Deployment, trouble: Trouble) -> Instant {
    if trouble != Trouble::Nothing {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    match trouble {
        Trouble::Nothing => {}
        Trouble::RedisKilled => deployment.redis.restart(),
        Trouble::RedisFrozen => deployment.redis.thaw(),
        Trouble::GatewayFrozen => deployment.gateways.iter().for_each(crate::Replica::thaw),
        Trouble::DriftFrozen => deployment.drift.iter().for_each(crate::Replica::thaw),
        Trouble::AuthKilled => deployment.auth[0].restart(),
    }
    Instant::now()
}

/// Asserts that every replica refuses the access token and the refresh token.
async fn refused_everywhere(deployment: &Deployment, session: &Session, mended: Instant) {
    let mut targets = Vec::new();
    for replica in &deployment.auth {
        targets.push((replica.url(), "/api/auth/me"));
    }
    for replica in &deployment.drift {
        targets.push((replica.url(), "/api/v1/drifts"));
    }
    for (url, path) in targets {
        let client = Client::new(&url).with_token(&session.access);
        loop {
            let answer = client.request(Method::GET, path).timeout(Duration::from_secs(2)).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::UNAUTHORIZED) {
                break;
            }
            assert!(
                mended.elapsed() < RECOVERY,
                "the access token of an ended session is still valid at {url}{path}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let refresh = json!({"refreshToken": session.refresh});
    let auth = Client::new(deployment.auth[1].url());
    auth.post("/api/auth/refresh", &refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}
