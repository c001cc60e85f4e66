//! Creates the first admin of a production system from a shell.

use std::io::{IsTerminal, stdin};

use anyhow::{Context, Result};
use contracts::Role;

use crate::audit::action::Initiator;
use crate::password::Password;
use crate::state::State;
use crate::user::email::Email;
use crate::user::locked_user::{LockedUser, NewUser};
use crate::user::name::Name;

/// Prompts for the password, or reads it from standard input if that is not a terminal.
pub async fn run(state: &State, email: &str, name: String) -> Result<()> {
    let email = Email::parse(email).context("--email")?;
    let name = String::from(Name::try_from(name).context("--name")?);
    let password = Password::parse(&read_password()?).context("invalid password")?;
    state.settings.password_policy.check(&password, &[&name, email.as_str()]).context("invalid password")?;
    let password = state.passwords.hash(password, vec![]).await?;
    let new = NewUser { name, email, password, role: Role::Admin };
    let user = LockedUser::create(state, new, Initiator::service_itself()).await?;
    let id = user.row.id;
    user.commit().await?;
    tracing::info!(%id, "created the admin");
    Ok(())
}

fn read_password() -> Result<String> {
    if stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").context("cannot read the password");
    }
    let mut line = String::new();
    stdin().read_line(&mut line).context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
