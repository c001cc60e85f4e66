use clap::{Args, ValueEnum};
use contracts::Role;

use crate::session::entity as session;

/// The users who must have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MfaRequired {
    Off,
    Admins,
    Everybody,
}

/// The settings of second factors. `STEP_UP_MINUTES` is a setting of all services.
#[derive(Args, Clone, Debug)]
#[group(id = "auth-service-factors")]
pub struct FactorSettings {
    /// Users who need a second factor: off, admins or everybody; one without it can only add it
    #[arg(long, env = "MFA_REQUIRED", value_enum, default_value = "off")]
    pub mfa_required: MfaRequired,

    /// Days for which a browser can be trusted, so that a login there needs no second factor; 0 trusts none
    #[arg(long, env = "TRUSTED_DEVICE_DAYS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=90))]
    pub trusted_device_days: u32,
}

impl MfaRequired {
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Admins => "admins",
            Self::Everybody => "everybody",
        }
    }

    pub fn applies_to(self, role: Role) -> bool {
        match self {
            Self::Off => false,
            Self::Admins => role == Role::Admin,
            Self::Everybody => true,
        }
    }

    /// Whether a session of a user with this role was opened without the second factor that the user needs now.
    pub fn is_missing_in(self, session: &session::Model, role: Role) -> bool {
        self.applies_to(role) && !session.has_shown_factor()
    }
}
