use std::net::IpAddr;

use serde::Deserialize;
use strum::IntoStaticStr;
use utoipa::ToSchema;
use uuid::Uuid;

/// What the audit log tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema, IntoStaticStr)]
#[schema(as = AuthAction)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
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
    /// Too many passwords were wrong; see [`crate::account_locks`].
    AccountLocked,
    /// An admin let a user try to log in again.
    LocksLifted,
}

impl Action {
    /// What comes by the hour, or as often as anybody likes: its rows are kept as long as ended sessions
    /// are. All others stay.
    pub const FREQUENT: [Self; 4] =
        [Self::TokenRefreshed, Self::LoginFailed, Self::PasswordChangeFailed, Self::AccountLocked];
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
