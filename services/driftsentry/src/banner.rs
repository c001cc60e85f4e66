use std::net::SocketAddr;
use std::path::Path;

/// The facts to print at startup.
pub(crate) struct Start<'a> {
    pub address: SocketAddr,
    /// The address of `/metrics`, if it is not the main address.
    pub operations: Option<SocketAddr>,
    pub data_dir: &'a Path,
    pub postgres: bool,
    pub redis: bool,
    /// Whether mails are sent.
    pub mail: bool,
    pub demo_users: bool,
    /// Whether the contract of the replaced stack is served.
    pub has_old_contract: bool,
}

#[expect(
    clippy::print_stdout,
    reason = "for the person who typed the command; the log goes to standard error"
)]
pub(crate) fn print(start: &Start<'_>) {
    print!("{}", text(start));
}

fn text(start: &Start<'_>) -> String {
    let Start { address, operations, data_dir, postgres, redis, mail, demo_users, has_old_contract } = start;
    let (port, data_dir) = (address.port(), data_dir.display());
    let reachable = if address.ip().is_loopback() {
        "this machine only; HOST=0.0.0.0 opens it to the network".to_owned()
    } else if address.ip().is_unspecified() {
        format!("everybody who can reach port {port} of this machine")
    } else {
        format!("everybody who can reach {address}")
    };
    let operations = match operations {
        Some(address) => format!("http://{address}/health  /ready  /metrics"),
        None => "/health  /ready  /metrics".into(),
    };
    let database = if *postgres { "Postgres (DATABASE_URL)".into() } else { format!("SQLite in {data_dir}") };
    let events = if *redis { "Redis (REDIS_URL)" } else { "in this process" };
    let mail = if *mail {
        "SMTP (SMTP_URL)".into()
    } else {
        format!("no SMTP_URL; in development, mails are at http://localhost:{port}/#/dev-mail")
    };
    let mut text = format!(
        "\n  DriftSentry {version} is ready\n\n  \
         Console     http://localhost:{port}/\n  \
         API         http://localhost:{port}/api/docs\n  \
         Socket.IO   http://localhost:{port}/socket.io/   namespaces / and /dashboard\n  \
         WebSocket   ws://localhost:{port}/ws\n  \
         Operations  {operations}\n  \
         Open to     {reachable}\n  \
         Database    {database}\n  \
         Events      {events}\n  \
         Mail        {mail}\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    if *has_old_contract {
        text.push_str("  Old routes  COMPAT_ROUTES=true: see docs/COMPATIBILITY.md\n");
    }
    if *demo_users {
        text.push_str("\n  Demo users, in development only:\n");
        for role in ["admin", "engineer", "viewer"] {
            text.push_str(&format!("    {role}@driftsentry.local  {role}123\n"));
        }
    }
    text.push('\n');
    text
}
