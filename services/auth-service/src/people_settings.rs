use std::str::FromStr;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use mail::MailConfig;
use platform::ProcessConfig;

use crate::error::AuthError;
use crate::user::email::Email;

const MAX_DOMAINS: usize = 100;

/// The people who may create an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignupMode {
    Open,
    /// People whom an admin invites.
    Invite,
    /// People with an address of these domains, and people whom an admin invites.
    Domains(Vec<String>),
    /// Only admins, who create users.
    Off,
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LoginMethod {
    Password,
    /// A link, or a code, that is sent to the user's address.
    Email,
}

/// The settings of accounts and of the mails about them.
#[derive(Args, Clone)]
#[group(id = "auth-service-people")]
pub struct PeopleSettings {
    /// People who may create an account: open, invite, domain:example.com,example.org or off; open in
    /// development and with COMPAT_ROUTES, else invite
    #[arg(long, env = "SIGNUP", value_name = "MODE")]
    pub signup: Option<SignupMode>,

    /// Create an account only once a link in a mail is opened; always so with SIGNUP=domain:…
    #[arg(long, env = "VERIFY_EMAIL", default_value_t = false, action = clap::ArgAction::Set)]
    pub verify_email: bool,

    /// Ways to log in
    #[arg(long, env = "LOGIN_METHODS", value_enum, value_delimiter = ',', default_value = "password")]
    pub login_methods: Vec<LoginMethod>,

    #[command(flatten)]
    pub mail: MailConfig,
}

impl LoginMethod {
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
        }
    }
}

impl PeopleSettings {
    /// Refuses settings that need mails if no mail can be sent.
    pub fn check(&self, process: &ProcessConfig) -> Result<()> {
        if !process.is_strict() || self.mail.is_enabled() {
            return Ok(());
        }
        ensure!(!self.verify_email, "VERIFY_EMAIL=true needs SMTP_URL, MAIL_FROM and PUBLIC_URL");
        ensure!(
            !matches!(self.signup, Some(SignupMode::Domains(_))),
            "SIGNUP=domain:… needs SMTP_URL, MAIL_FROM and PUBLIC_URL, because it verifies addresses"
        );
        ensure!(
            !self.login_methods.contains(&LoginMethod::Email),
            "LOGIN_METHODS=email needs SMTP_URL, MAIL_FROM and PUBLIC_URL"
        );
        Ok(())
    }

    pub fn signup(&self, process: &ProcessConfig) -> SignupMode {
        let is_open = !process.is_strict() || process.compat_routes;
        self.signup.clone().unwrap_or(if is_open { SignupMode::Open } else { SignupMode::Invite })
    }

    /// Whether an account is created only once its address is verified.
    pub fn verifies_email(&self) -> bool {
        self.verify_email || matches!(self.signup, Some(SignupMode::Domains(_)))
    }

    /// Refuses a sign-up that the mode does not allow.
    pub fn admit_signup(&self, process: &ProcessConfig, email: &Email) -> Result<(), AuthError> {
        match self.signup(process) {
            SignupMode::Open => Ok(()),
            SignupMode::Domains(domains) => {
                let domain = email.as_str().rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
                let is_allowed = domains.iter().any(|allowed| allowed == domain);
                if is_allowed { Ok(()) } else { Err(AuthError::ForeignDomain) }
            }
            SignupMode::Invite | SignupMode::Off => Err(AuthError::SignupClosed),
        }
    }

    /// Refuses a new address of a user outside the domains that may sign up.
    pub fn admit_address(&self, process: &ProcessConfig, email: &Email) -> Result<(), AuthError> {
        match self.signup(process) {
            SignupMode::Domains(_) => self.admit_signup(process, email),
            SignupMode::Open | SignupMode::Invite | SignupMode::Off => Ok(()),
        }
    }

    /// Refuses a login that is switched off.
    pub fn require(&self, method: LoginMethod) -> Result<(), AuthError> {
        if self.login_methods.contains(&method) { Ok(()) } else { Err(AuthError::NoSuchLogin) }
    }
}

impl SignupMode {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Domains(_) => "domain",
            Self::Off => "off",
        }
    }

    pub fn domains(&self) -> &[String] {
        if let Self::Domains(domains) = self { domains } else { &[] }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be open, invite, domain:example.com,example.org or off")]
pub struct NotASignupMode;

impl FromStr for SignupMode {
    type Err = NotASignupMode;

    fn from_str(typed: &str) -> Result<Self, NotASignupMode> {
        let listed = match typed.trim() {
            "open" => return Ok(Self::Open),
            "invite" => return Ok(Self::Invite),
            "off" => return Ok(Self::Off),
            typed => typed.strip_prefix("domain:").ok_or(NotASignupMode)?,
        };
        // Parsed as an address, so that a domain is compared in the form of addresses.
        let domain = |domain: &str| Email::parse(&format!("name@{}", domain.trim())).ok();
        let domains = listed.split(',').map(domain).collect::<Option<Vec<_>>>().ok_or(NotASignupMode)?;
        let domains = domains.iter().filter_map(|email| email.as_str().split_once('@'));
        let domains = domains.map(|(_, domain)| domain.to_owned()).collect::<Vec<_>>();
        if domains.len() <= MAX_DOMAINS { Ok(Self::Domains(domains)) } else { Err(NotASignupMode) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_and_a_mistake_is_refused() {
        let domains = |names: &[&str]| SignupMode::Domains(names.iter().map(|&name| name.into()).collect());
        assert_eq!("open".parse(), Ok(SignupMode::Open));
        assert_eq!("invite".parse(), Ok(SignupMode::Invite));
        assert_eq!("off".parse(), Ok(SignupMode::Off));
        assert_eq!("domain:Example.com, b.org".parse(), Ok(domains(&["example.com", "b.org"])));
        for typed in ["", "yes", "domain", "domain:", "domain:a", "domain:a.b,", "domain:x@a.b"] {
            assert_eq!(typed.parse::<SignupMode>(), Err(NotASignupMode), "{typed}");
        }
    }
}
