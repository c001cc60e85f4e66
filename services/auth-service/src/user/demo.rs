//! Demo users, whose passwords are in the README. Created in development only.

use contracts::Role;

use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::password::Password;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedUser, NewUser};

pub const DEMO_USERS: [(&str, &str, Role); 3] = [
    ("admin@driftsentry.local", "admin123", Role::Admin),
    ("engineer@driftsentry.local", "engineer123", Role::Engineer),
    ("viewer@driftsentry.local", "viewer123", Role::Viewer),
];

/// Creates the demo users that do not exist yet.
pub async fn create_demo_users(state: &State) -> Result<(), AuthError> {
    for (email, password, role) in DEMO_USERS {
        let (Ok(email), Ok(password)) = (Email::parse(email), Password::parse(password)) else { continue };
        if user::by_email(&state.database, &email).await?.is_some() {
            continue;
        }
        let password = state.passwords.hash(password, vec![]).await?;
        let new = NewUser::new(format!("Demo {role}"), email, password, role);
        match LockedUser::create(state, new, Initiator::service_itself()).await {
            Ok(user) => user.commit().await?,
            // Another replica was faster.
            Err(AuthError::EmailTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
