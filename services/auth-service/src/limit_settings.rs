use clap::Args;

/// The limits of auth-service. A /24 has four times the limit of an IPv4 address; a /56 has twice, and a
/// /48 four times, the limit of an IPv6 /64.
#[derive(Args, Clone)]
#[group(id = "auth-service-limits")]
pub struct LimitSettings {
    /// Maximum number of passwords, right or wrong, sent for one account from one network in 15 minutes; the
    /// same maximum applies to successful logins to one account from all networks
    #[arg(long, env = "LOGINS_PER_ACCOUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub logins_per_account: u64,

    /// Maximum number of passwords, right or wrong, sent from one network in 15 minutes
    #[arg(long, env = "LOGINS_PER_IP", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub logins_per_ip: u64,

    /// Maximum number of failed logins to one account from one network in 15 minutes; the account is then
    /// locked for that network
    #[arg(long, env = "LOGIN_FAILURES_PER_ACCOUNT", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub login_failures_per_account: u64,

    /// Maximum number of failed logins to one account in a day; the account is then locked for up to a day,
    /// except for networks that its user logged in from within the last 30 days; the same maximum applies to
    /// failures from one network, and to wrong current passwords in one session
    #[arg(long, env = "LOGIN_FAILURES_PER_ACCOUNT_PER_DAY", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub login_failures_per_account_per_day: u64,

    /// Maximum number of failed logins from one network in 15 minutes
    #[arg(long, env = "LOGIN_FAILURES_PER_IP", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub login_failures_per_ip: u64,

    /// Maximum number of failed logins from all networks in 15 minutes; beyond that, networks without a
    /// recent login get a fiftieth of LOGIN_FAILURES_PER_IP
    #[arg(long, env = "LOGIN_FAILURES_TOTAL", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub login_failures_total: u64,

    /// Maximum number of sign-ups from one network in an hour
    #[arg(long, env = "SIGNUPS_PER_IP", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub signups_per_ip: u64,

    /// Maximum number of sign-ups from all networks in an hour; beyond that, networks without a recent login
    /// get a fiftieth of SIGNUPS_PER_IP
    #[arg(long, env = "SIGNUPS_TOTAL", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub signups_total: u64,

    /// Maximum number of sign-ups from one network in an hour for email addresses that already have an
    /// account
    #[arg(long, env = "SIGNUP_CONFLICTS_PER_IP", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub signup_conflicts_per_ip: u64,

    /// Maximum number of mails that one network may request in an hour, such as to reset a password
    #[arg(long, env = "MAILS_PER_IP", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub mails_per_ip: u64,

    /// Maximum number of mails that all networks may request in an hour; beyond that, networks without a recent
    /// login get a fiftieth of MAILS_PER_IP
    #[arg(long, env = "MAILS_TOTAL", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub mails_total: u64,

    /// Maximum number of refreshes of one session in a minute
    #[arg(long, env = "REFRESHES_PER_SESSION", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub refreshes_per_session: u64,

    /// Maximum number of refreshes of one user's sessions in a minute
    #[arg(long, env = "REFRESHES_PER_USER", default_value_t = 240, value_parser = clap::value_parser!(u64).range(1..))]
    pub refreshes_per_user: u64,
}
