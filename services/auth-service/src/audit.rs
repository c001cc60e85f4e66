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
    TokenRefreshed,
    Logout,
    SessionEnded,
    PasswordChanged,
    PasswordChangeFailed,
    /// At a login: the same password, kept in a stronger form.
    PasswordUpgraded,
    ServiceTokenCreated,
    ServiceTokenEnded,
}

impl Action {
    /// What comes by the hour, or as often as anybody likes: its rows are kept as long as ended sessions
    /// are. All others stay.
    pub const FREQUENT: [Self; 2] = [Self::TokenRefreshed, Self::LoginFailed];

    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user_registered",
            Self::UserUpdated => "user_updated",
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
            Self::TokenRefreshed => "token_refreshed",
            Self::Logout => "logout",
            Self::SessionEnded => "session_ended",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeFailed => "password_change_failed",
            Self::PasswordUpgraded => "password_upgraded",
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
