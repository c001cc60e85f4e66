//! Response bodies that several handlers share.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use contracts::{AccountId, Role};
use http::{ApiError, cursor};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::AuthError;
use crate::login::log_in::LoggedIn;
use crate::session::entity as session;
use crate::settings::Delivery;
use crate::state::State;
use crate::token::access_token;
use crate::token::delivery as refresh_delivery;
use crate::token::refresh_token::RefreshToken;
use crate::user::entity as user;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    pub access_token: String,
    /// Absent if only the cookie carries the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Seconds until the access token expires.
    pub expires_in: i64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    #[serde(flatten)]
    pub tokens: Tokens,
    pub user: LoginUser,
    pub session: LoginSession,
}

#[derive(Serialize, ToSchema)]
pub struct LoginUser {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    #[schema(value_type = String)]
    pub role: Role,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginSession {
    pub id: Uuid,
    pub expires_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    #[schema(value_type = String)]
    pub role: Role,
    pub is_active: bool,
    pub account_id: Option<AccountId>,
    /// The time at which the user proved that they receive mail at `email`.
    pub email_verified_at: Option<DateTime<Utc>>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub last_activity_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The number of sessions that were ended.
#[derive(Serialize, ToSchema)]
pub struct Terminated {
    pub terminated: usize,
}

impl From<user::Model> for User {
    fn from(user: user::Model) -> Self {
        let user::Model { id, email, name, role, is_active, account_id, .. } = user;
        let user::Model {
            email_verified_at, last_login_at, last_activity_at, created_at, updated_at, ..
        } = user;
        Self {
            id,
            email,
            name,
            role,
            is_active,
            account_id,
            email_verified_at,
            last_login_at,
            last_activity_at,
            created_at,
            updated_at,
        }
    }
}

/// Builds a page of a list. `rows` has one row more than `limit` if another page follows.
pub fn page<R, T: Serialize>(
    mut rows: Vec<R>,
    limit: u64,
    position: impl Fn(&R) -> Value,
    view: impl Fn(R) -> T,
) -> HttpResponse {
    let has_more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| has_more).map(|last| cursor::encode(&position(last)));
    http::list(rows.into_iter().map(view).collect(), limit, next)
}

/// A response with tokens, delivered as the request asks.
pub struct TokenAnswer<'a> {
    state: &'a State,
    delivery: Delivery,
    refresh_token: String,
    cookie_seconds: i64,
    access_token: access_token::AccessToken,
}

impl<'a> TokenAnswer<'a> {
    pub fn new(
        state: &'a State,
        delivery: Delivery,
        user: &user::Model,
        session: &session::Model,
        counter: u32,
    ) -> Result<Self, AuthError> {
        state.metrics.token("refresh");
        Ok(Self {
            state,
            delivery,
            refresh_token: state.refresh_tokens.issue(RefreshToken { session_id: session.id, counter }),
            cookie_seconds: (session.expires_at - state.platform.clock().now()).num_seconds(),
            access_token: access_token::for_session(state, user, session)?,
        })
    }

    pub fn send<T: Serialize>(
        self,
        status: StatusCode,
        body: impl FnOnce(Tokens) -> T,
    ) -> Result<HttpResponse, ApiError> {
        let Self { state, delivery, refresh_token, cookie_seconds, access_token } = self;
        let cookie = refresh_delivery::cookie(state, &refresh_token, cookie_seconds);
        let tokens = Tokens {
            access_token: access_token.token,
            refresh_token: (delivery != Delivery::Cookie).then_some(refresh_token),
            expires_in: access_token.expires_in_seconds,
        };
        let mut answer = http::ok(body(tokens));
        *answer.status_mut() = status;
        if delivery != Delivery::Body {
            answer.add_cookie(&cookie).map_err(|error| ApiError::internal(error.to_string()))?;
        }
        Ok(answer)
    }
}

/// Builds the response to a login or a sign-up.
pub fn logged_in(
    state: &State,
    delivery: Delivery,
    status: StatusCode,
    logged_in: LoggedIn,
) -> Result<HttpResponse, ApiError> {
    let LoggedIn { user, session } = logged_in;
    let answer = TokenAnswer::new(state, delivery, &user, &session, 0)?;
    answer.send(status, |tokens| Login {
        tokens,
        user: LoginUser { id: user.id, email: user.email, name: user.name, role: user.role },
        session: LoginSession { id: session.id, expires_at: session.expires_at },
    })
}
