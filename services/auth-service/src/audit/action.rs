use std::net::IpAddr;

use serde::Deserialize;
use strum::IntoStaticStr;
use utoipa::ToSchema;
use uuid::Uuid;

/// The kinds of event in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema, IntoStaticStr)]
#[schema(as = AuthAction)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Action {
    UserRegistered,
    /// A user of a replaced stack was imported.
    UserImported,
    UserUpdated,
    /// A user changed their own name.
    ProfileUpdated,
    UserDeleted,
    Login,
    LoginFailed,
    TokenRefreshed,
    Logout,
    SessionEnded,
    PasswordChanged,
    /// The current password was wrong in a request that needs it.
    PasswordChangeFailed,
    /// A command, or the holder of a link from a mail, set a new password.
    PasswordReset,
    /// A mail to reset the password was sent.
    PasswordResetRequested,
    /// The user proved that they receive mail at their address.
    EmailVerified,
    EmailChanged,
    /// The owner of the old address took it back.
    EmailRestored,
    /// An admin invited a person; the row names no user yet.
    UserInvited,
    InvitationRevoked,
    /// A login hashed the same password again with a stronger scheme.
    PasswordUpgraded,
    ServiceTokenCreated,
    ServiceTokenEnded,
    /// Too many passwords were wrong; see [`crate::login::account_locks`].
    AccountLocked,
    /// An admin lifted the locks of a user.
    LocksLifted,
}

impl Action {
    /// The actions that occur often, or that a client can repeat at will. Their rows are kept as long as the
    /// rows of ended sessions. All other rows are kept forever.
    pub const FREQUENT: [Self; 5] = [
        Self::TokenRefreshed,
        Self::LoginFailed,
        Self::PasswordChangeFailed,
        Self::ProfileUpdated,
        Self::AccountLocked,
    ];
}

/// The initiator of a change: who caused it, and from which address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Initiator {
    /// `None` for the sweeper and for commands, and for people who delete their own account.
    pub ip: Option<IpAddr>,
    /// The acting user; `None` if it is the affected user.
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
