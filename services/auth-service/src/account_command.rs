use anyhow::Result;
use clap::Subcommand;

use crate::state::State;
use crate::user::{create_admin, reset_password};

/// Changes of accounts from a shell, by an operator who has the secrets of the service.
#[derive(Subcommand)]
pub enum AccountCommand {
    /// Create an admin; prompts for the password, or reads it from standard input
    CreateAdmin {
        /// Email address of the account
        #[arg(long)]
        email: String,
        /// Name of a new account
        #[arg(long, default_value = "Administrator")]
        name: String,
        /// If the account exists, enable it and make it an admin; it keeps its name and its password
        #[arg(long)]
        promote: bool,
    },
    /// Set the password of an account, end all its sessions and lift its locks; prompts for the password, or reads it
    /// from standard input
    ResetPassword {
        /// Email address of the account
        #[arg(long)]
        email: String,
    },
}

impl AccountCommand {
    /// Runs the command. A running server publishes the events of the change.
    pub async fn run(self, state: &State) -> Result<()> {
        match self {
            Self::CreateAdmin { email, name, promote } => {
                create_admin::run(state, &email, name, promote).await
            }
            Self::ResetPassword { email } => reset_password::run(state, &email).await,
        }
    }
}
