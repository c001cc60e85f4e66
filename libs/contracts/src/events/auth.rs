//! `auth:*`: what happens to users, sessions and tokens. Routed by `userId`.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use uuid::Uuid;

use super::event;
use crate::Role;

/// Why a session ended.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum EndReason {
    /// Its owner ended it, there or from another session.
    Logout,
    IdleTimeout,
    /// Its absolute lifetime is over.
    Expired,
    /// A newer session of the same user took its place.
    Evicted,
    PasswordChanged,
    AccountDisabled,
    /// A refresh token was used again after its successor had been.
    TokenReuse,
    /// An admin ended it.
    Admin,
}

/// The device a session was opened from, as far as its user agent tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// `desktop`, `mobile`, `crawler` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRegistered {
    pub user_id: Uuid,
    pub email: String,
}
event!(UserRegistered, "auth:user.registered", user_id);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserLogin {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(UserLogin, "auth:user.login", user_id);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserLogout {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(UserLogout, "auth:user.logout", user_id);

/// A role, an account or a password changed, or the user was disabled or enabled.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserUpdated {
    pub user_id: Uuid,
    pub role: Role,
    pub is_active: bool,
    /// Grows with each change; tokens carry the one they were made under.
    pub generation: i64,
    /// The cloud account whose events the user receives. In the envelope; not part of the payload.
    #[serde(skip)]
    pub account_id: Option<String>,
}
event!(UserUpdated, "auth:user.updated", user_id, account_id);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionCreated {
    pub user_id: Uuid,
    pub session_id: Uuid,
    pub device_info: DeviceInfo,
}
event!(SessionCreated, "auth:session.created", user_id);

/// Published besides [`SessionDeleted`] when a user ends another session of their own.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionTerminated {
    pub user_id: Uuid,
    /// The session of who ended it.
    pub session_id: Uuid,
    /// The ended session's id; the name is the replaced stack's.
    pub target_session_token: Uuid,
    pub target_session_id: Uuid,
    pub reason: EndReason,
}
event!(SessionTerminated, "auth:session.terminated", user_id);

/// Published for each session that ends, whatever ended it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDeleted {
    pub user_id: Uuid,
    pub session_id: Uuid,
    pub reason: EndReason,
}
event!(SessionDeleted, "auth:session.deleted", user_id);

/// Published besides one [`SessionDeleted`] each when all other sessions are ended at once.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionsBulkTerminated {
    pub user_id: Uuid,
    pub count: usize,
    pub session_ids: Vec<Uuid>,
    /// The session that stays, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub except_session_id: Option<Uuid>,
}
event!(SessionsBulkTerminated, "auth:sessions.bulk_terminated", user_id);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionActivityUpdated {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(SessionActivityUpdated, "auth:session.activity_updated", user_id);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRefreshed {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(TokenRefreshed, "auth:token.refreshed", user_id);
