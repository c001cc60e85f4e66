//! Runs a private Postgres for tests that are not written in Rust.
//!
//! Answers every line on stdin with the URL of a new, empty database. The server ends when stdin closes.

use std::io::{BufRead, Write, stdin, stdout};

use testing::PrivatePostgres;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut lines = stdin().lock().lines();
    while lines.next().transpose()?.is_some() {
        let url = PrivatePostgres::shared().create_database().await;
        writeln!(stdout(), "{url}")?;
        stdout().flush()?;
    }
    Ok(())
}
