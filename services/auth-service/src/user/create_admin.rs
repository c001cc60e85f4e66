//! Creates the first admin of a production system from a shell, or makes an existing account one.

use anyhow::{Context, Result};
use contracts::Role;

use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::password::read_password;
use crate::state::State;
use crate::user::admin::{self, UserEdit};
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedUser, NewUser};
use crate::user::name::Name;
use crate::user::new_email::NewEmail;

/// Creates an admin. With `promote`, an existing account becomes an active admin, and no password is asked for.
pub async fn run(state: &State, email: &str, name: String, promote: bool) -> Result<()> {
    let email = Email::parse(email).context("--email")?;
    match user::by_email(&state.database, &email).await? {
        None => create(state, NewEmail::parse(email.as_str()).context("--email")?.into(), name).await,
        Some(user) if promote => {
            let edit = UserEdit { role: Some(Role::Admin), is_active: Some(true), ..Default::default() };
            admin::update(state, user.id, edit, Initiator::service_itself()).await?;
            tracing::info!(id = %user.id, "promoted the account to an active admin");
            Ok(())
        }
        Some(_) => Err(AuthError::EmailTaken).context("add --promote to make this account an admin"),
    }
}

async fn create(state: &State, email: Email, name: String) -> Result<()> {
    let name = String::from(Name::try_from(name).context("--name")?);
    let password = read_password()?;
    state.settings.check_strength(&password, &name, &email).context("invalid password")?;
    let password = state.passwords.hash(password, vec![]).await?;
    let new = NewUser::new(name, email, password, Role::Admin);
    let user = LockedUser::create(state, new, Initiator::service_itself()).await?;
    let id = user.row.id;
    user.commit().await?;
    tracing::info!(%id, "created the admin");
    Ok(())
}
