use std::net::IpAddr;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What the audit log tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = AuthAction)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    UserRegistered,
    UserUpdated,
    Login,
    LoginFailed,
    Logout,
    SessionEnded,
    PasswordChanged,
    PasswordChangeFailed,
    ServiceTokenCreated,
    ServiceTokenEnded,
}

impl Action {
    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user_registered",
            Self::UserUpdated => "user_updated",
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
            Self::Logout => "logout",
            Self::SessionEnded => "session_ended",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeFailed => "password_change_failed",
            Self::ServiceTokenCreated => "service_token_created",
            Self::ServiceTokenEnded => "service_token_ended",
        }
    }
}

/// Who brought a change about, and from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Initiator {
    /// Absent where nobody did: the sweeper, a command.
    pub ip: Option<IpAddr>,
    /// Somebody else than the user whom the change concerns.
    pub actor: Option<Uuid>,
}

impl Initiator {
    pub fn user_at(ip: IpAddr) -> Self {
        Self { ip: Some(ip), actor: None }
    }

    pub fn admin_at(ip: IpAddr, admin: Uuid) -> Self {
        Self { ip: Some(ip), actor: Some(admin) }
    }

    pub fn service_itself() -> Self {
        Self::default()
    }
}
