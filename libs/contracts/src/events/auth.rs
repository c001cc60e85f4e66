//! `auth:*`: events about users, sessions and tokens. Routed by `userId`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event;
use crate::named::named;
use crate::{AccountId, Role};

named! {
    /// The reason why a session ended.
    pub enum EndReason {
        /// The owner ended it, from the same or another session.
        Logout,
        IdleTimeout,
        /// Its absolute lifetime has passed.
        Expired,
        /// Evicted by a newer session of the same user.
        Evicted,
        PasswordChanged,
        AccountDisabled,
        /// A refresh token was used again after its successor had been used.
        TokenReuse,
        /// An admin ended it.
        Admin,
        /// The password was reset by a mail.
        PasswordReset,
        /// Its user was deleted.
        AccountDeleted,
        /// The owner took the old address back after a change of the email.
        EmailRestored,
    }
}

/// The device that opened a session, according to its user agent.
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

/// A user has signed up.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRegistered {
    pub user_id: Uuid,
    pub email: String,
}
event!(UserRegistered, "auth:user.registered", user_id);

/// A user has logged in, which opened a session.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserLogin {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(UserLogin, "auth:user.login", user_id);

/// A user has logged out, which ended a session.
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
    /// Grows with each change. A token carries the generation at which it was issued.
    pub generation: i64,
    /// The cloud account whose events the user receives. In the envelope; not part of the payload.
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(UserUpdated, "auth:user.updated", user_id, account_id);

/// A user was deleted. Follows the ends of their sessions. A service that stores data about
/// the user erases it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDeleted {
    pub user_id: Uuid,
}
event!(UserDeleted, "auth:user.deleted", user_id);

/// An admin has invited a person, who has no user yet. Routed to no user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInvited {
    pub invitation_id: Uuid,
    /// The role that the person gets.
    pub role: Role,
}
event!(UserInvited, "auth:user.invited");

/// A user has proved that they receive mail at their address.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailVerified {
    pub user_id: Uuid,
}
event!(EmailVerified, "auth:email.verified", user_id);

/// A mail to reset the password of a user was asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordResetRequested {
    pub user_id: Uuid,
}
event!(PasswordResetRequested, "auth:password.reset_requested", user_id);

/// A session was opened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionCreated {
    pub user_id: Uuid,
    pub session_id: Uuid,
    pub device_info: DeviceInfo,
}
event!(SessionCreated, "auth:session.created", user_id);

/// Published in addition to [`SessionDeleted`] when a user ends another of their own sessions.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionTerminated {
    pub user_id: Uuid,
    /// The session from which the other one was ended.
    pub session_id: Uuid,
    /// The id of the ended session. The name comes from the old stack.
    pub target_session_token: Uuid,
    pub target_session_id: Uuid,
    pub reason: EndReason,
}
event!(SessionTerminated, "auth:session.terminated", user_id);

/// Published for each session that ends, whatever the reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDeleted {
    pub user_id: Uuid,
    pub session_id: Uuid,
    pub reason: EndReason,
}
event!(SessionDeleted, "auth:session.deleted", user_id);

/// Published when all other sessions are ended at once, in addition to one [`SessionDeleted`] for each.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionsBulkTerminated {
    pub user_id: Uuid,
    pub count: usize,
    pub session_ids: Vec<Uuid>,
    /// The session that remains, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub except_session_id: Option<Uuid>,
}
event!(SessionsBulkTerminated, "auth:sessions.bulk_terminated", user_id);

/// The time of the last activity of a session was written. Not logged.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionActivityUpdated {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(SessionActivityUpdated, "auth:session.activity_updated", user_id);

/// A session has exchanged its refresh token for new tokens. Not logged.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRefreshed {
    pub user_id: Uuid,
    pub session_id: Uuid,
}
event!(TokenRefreshed, "auth:token.refreshed", user_id);
