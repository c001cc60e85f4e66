use std::env::{self, args_os};
use std::path::Path;

const FILE: &str = ".env";
/// Each may choose the environment.
const ENVIRONMENT: [&str; 2] = ["APP_ENV", "NODE_ENV"];
const DEVELOPMENT: &str = "development";

/// Reads `.env` in the working folder, in development only. A variable that is set already keeps its value. A file
/// that chooses another environment is not read: it belongs to a deployment, as that of `docker-compose.yml`.
///
/// # Errors
/// If the file cannot be read. The message shows no line of it, because lines contain secrets.
pub(crate) fn read_env_file() -> Result<(), String> {
    let chosen =
        ENVIRONMENT.into_iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let is_argument = args_os().any(|argument| argument.to_string_lossy().starts_with("--environment"));
    if is_argument
        || chosen.is_some_and(|environment| environment != DEVELOPMENT)
        || !Path::new(FILE).exists()
    {
        return Ok(());
    }
    let is_for_deployment = dotenvy::from_path_iter(FILE)
        .and_then(Iterator::collect::<dotenvy::Result<Vec<_>>>)
        .map_err(|error| refusal(&error))?
        .iter()
        .any(|(name, value)| ENVIRONMENT.contains(&name.as_str()) && value != DEVELOPMENT);
    if is_for_deployment {
        return Ok(());
    }
    dotenvy::from_path(FILE).map_err(|error| refusal(&error))
}

fn refusal(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::Io(error) => format!("{FILE} cannot be read: {error}"),
        _ => {
            format!(
                "{FILE} has a line that is not NAME=value; put values with spaces, # or $ into single quotes"
            )
        }
    }
}
