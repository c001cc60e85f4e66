use std::io::{BufRead, IsTerminal, Read, stdin};

use anyhow::{Context, Result};

use super::Password;

const MAX_LINE_BYTES: u64 = 16 * 1024;

/// Prompts for a new password, or reads the first line of standard input if that is not a terminal.
pub fn read_password() -> Result<Password> {
    let line = if stdin().is_terminal() {
        rpassword::prompt_password("Password: ").context("cannot read the password")?
    } else {
        let mut line = String::new();
        stdin().lock().take(MAX_LINE_BYTES).read_line(&mut line).context("cannot read the password")?;
        line
    };
    Password::parse(line.trim_end_matches(['\r', '\n'])).context("invalid password")
}
