use anyhow::Result;
use clap::Subcommand;

use crate::signing_key::rotate_keys;
use crate::state::State;
use crate::user::{create_admin, reset_password};

/// Changes from a shell, by an operator who has the secrets of the service.
#[derive(Subcommand)]
pub enum ShellCommand {
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
    /// Replace the key that signs access tokens, unless it comes from a setting
    RotateKeys {
        /// Make all other keys, and all access tokens and service tokens, invalid at once
        #[arg(long)]
        withdraw: bool,
    },
}

impl ShellCommand {
    /// Runs the command. A running server publishes the events of the change.
    pub async fn run(self, state: &State) -> Result<()> {
        match self {
            Self::CreateAdmin { email, name, promote } => {
                create_admin::run(state, &email, name, promote).await
            }
            Self::ResetPassword { email } => reset_password::run(state, &email).await,
            Self::RotateKeys { withdraw } => rotate_keys::run(state, withdraw).await,
        }
    }
}
