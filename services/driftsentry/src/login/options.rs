use anyhow::Result;
use clap::Args;

use crate::client::Server;

/// The server of a login.
#[derive(Args)]
pub(crate) struct Access {
    /// Address of DriftSentry
    #[arg(
        long,
        visible_alias = "url",
        env = "DRIFTSENTRY_URL",
        default_value = "http://localhost:3001",
        value_name = "URL"
    )]
    server: String,

    /// Print the causes and a backtrace of a failure
    #[arg(long)]
    pub debug: bool,
}

/// A login to start.
#[derive(Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub access: Access,

    /// Name that the page of the approval and the list of your sessions show; the name of this computer by default
    #[arg(long)]
    pub name: Option<String>,
}

impl Access {
    pub(super) fn server(&self) -> Result<Server> {
        Server::parse(&self.server)
    }
}
