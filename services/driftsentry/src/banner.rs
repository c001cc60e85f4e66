use std::path::Path;

/// What somebody who has just started it wants to know.
pub struct Start<'a> {
    pub port: u16,
    pub data_dir: &'a Path,
    pub postgres: bool,
    pub redis: bool,
    pub demo_users: bool,
}

#[expect(
    clippy::print_stdout,
    reason = "for the person who typed the command; the log goes to standard error"
)]
pub fn print(start: &Start<'_>) {
    print!("{}", text(start));
}

fn text(start: &Start<'_>) -> String {
    let Start { port, data_dir, postgres, redis, demo_users } = start;
    let data_dir = data_dir.display();
    let database = if *postgres { "Postgres (DATABASE_URL)".into() } else { format!("SQLite in {data_dir}") };
    let events = if *redis { "Redis (REDIS_URL)" } else { "in this process" };
    let mut text = format!(
        "\n  DriftSentry {version} is ready\n\n  \
         Console     http://localhost:{port}/\n  \
         API         http://localhost:{port}/api/docs\n  \
         Socket.IO   http://localhost:{port}/socket.io/   namespaces / and /dashboard\n  \
         WebSocket   ws://localhost:{port}/ws\n  \
         Operations  /health  /ready  /metrics\n  \
         Database    {database}\n  \
         Events      {events}\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    if *demo_users {
        text.push_str("\n  Demo users, in development only:\n");
        for role in ["admin", "engineer", "viewer"] {
            text.push_str(&format!("    {role}@driftsentry.local  {role}123\n"));
        }
    }
    text.push('\n');
    text
}
