//! `driftsentry login`, `logout` and `whoami`: the login of a person at a terminal, and the token of the other commands
//! that have none.

mod api;
mod browser;
mod device;
mod options;
mod store;
mod stored_login;

pub(crate) use options::{Access, Login};
pub(crate) use stored_login::StoredLogin;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use crate::client::{plain, print_failure};
use api::{Api, Failure};
use store::Store;

/// Logs in, and stores the login.
pub(crate) async fn log_in(options: Login) -> ExitCode {
    exit_code(enter(&options).await, &options.access)
}

/// Ends the session of the stored login, and deletes it.
pub(crate) async fn log_out(access: Access) -> ExitCode {
    exit_code(leave(&access).await, &access)
}

/// Shows who is logged in.
pub(crate) async fn show(access: Access) -> ExitCode {
    exit_code(print_user(&access).await, &access)
}

fn exit_code(outcome: Result<()>, access: &Access) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_failure(&error, access.debug);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
async fn enter(options: &Login) -> Result<()> {
    let server = options.access.server()?;
    // A folder that cannot be used is reported before the person approves anything.
    let store = Store::of_user()?;
    let api = Api::new(&server)?;
    let request = device::request(&api, options.name.clone().or_else(device::computer_name)).await?;
    let page = request.page(&server)?;
    println!("Open this page, and approve the login:\n\n    {page}\n\nIts code is {}", request.code());
    browser::open(&page);
    let login = device::wait(&api, &request).await?;
    let locked = store.lock().await?;
    let mut logins = store.read()?;
    let email = plain(&login.email);
    let replaced = logins.insert(server.name(), login);
    locked.write(&logins)?;
    println!("Logged in to {} as {email}", server.name());
    if let Some(replaced) = replaced {
        // Best effort: without activity, the session expires by itself.
        let _ = api.post(&["logout"], &json!({"refreshToken": replaced.refresh_token})).await;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
async fn leave(access: &Access) -> Result<()> {
    let (server, store) = (access.server()?, Store::of_user()?);
    let api = Api::new(&server)?;
    let locked = store.lock().await?;
    let mut logins = store.read()?;
    let Some(login) = logins.remove(&server.name()) else {
        println!("There is no login to {}", server.name());
        return Ok(());
    };
    locked.write(&logins)?;
    match api.post(&["logout"], &json!({"refreshToken": login.refresh_token})).await {
        // The session has ended before.
        Ok(_) | Err(Failure::Refused { .. }) => println!("Logged out of {}", server.name()),
        Err(failure) => {
            let why = anyhow::Error::from(failure);
            bail!(
                "the login is deleted here, but its session goes on: {why:#}; end it in the console, under Account"
            )
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
async fn print_user(access: &Access) -> Result<()> {
    let server = access.server()?;
    let token = StoredLogin::of(server.clone())?.access_token().await?;
    let api = Api::new(&server)?;
    let (user, session) = (api.get("me", &token).await?, api.get("session", &token).await?);
    let text = |value: &serde_json::Value| plain(value.as_str().unwrap_or("unknown"));
    println!("User     {} <{}>", text(&user["name"]), text(&user["email"]));
    println!("Role     {}", text(&user["role"]));
    println!("Server   {}", server.name());
    println!("Expires  {}, without use {}", text(&session["expiresAt"]), text(&session["idleExpiresAt"]));
    Ok(())
}
