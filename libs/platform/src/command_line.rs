use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, Command, Parser, value_parser};

use crate::command_docs::write_docs;
use crate::env_file::read_env_file;
use crate::healthcheck::healthcheck;

const HEALTHCHECK: &str = "healthcheck";
const WRITE_DOCS: &str = "write-docs";

/// Parses the command line and the environment of a process. Prints help or an error and exits if
/// needed. The options of the process may stand before and after its commands. In development, variables may stand in
/// the file `.env`. Neither holds for the commands in `clients`, which have their own options: they run in
/// folders of others, whose file could redirect them. Every process also has the command `healthcheck`, and the hidden
/// command `write-docs` for packages.
///
/// Variables of the old stack are accepted as well: `NODE_ENV` for `APP_ENV`, and `REDIS_HOST`,
/// `REDIS_PORT` and `REDIS_PASSWORD` for `REDIS_URL`, and `JWT_SECRET` for `JWT_ACCESS_SECRET`.
pub fn parse<C: Parser>(clients: &[&str]) -> C {
    let mut arguments = std::env::args_os().collect::<Vec<OsString>>();
    let is_client = arguments.iter().any(|argument| clients.iter().any(|name| argument == name));
    if !is_client && let Err(message) = read_env_file() {
        exit(Err(message));
    }
    let stand_ins = old_names(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let at = arguments.len().min(1);
    arguments.splice(at..at, stand_ins.into_iter().map(Into::into));
    let command = command::<C>(clients);
    let parsed =
        command.clone().try_get_matches_from(arguments).and_then(|matches| match matches.subcommand() {
            Some((HEALTHCHECK, _)) => {
                let port = matches.get_one("port").copied().unwrap_or_default();
                exit(healthcheck(port).map_err(|error| format!("{error:#}")))
            }
            Some((WRITE_DOCS, options)) => {
                let folder: PathBuf = options.get_one("folder").cloned().unwrap_or_default();
                exit(write_docs(command, &folder).map_err(|error| format!("{}: {error}", folder.display())))
            }
            _ => C::from_arg_matches(&matches),
        });
    parsed.unwrap_or_else(|error| {
        // Exits with 1 instead of clap's 2, which `driftsentry ingest` uses for new drift.
        let failed = error.use_stderr();
        let _ = error.print();
        std::process::exit(i32::from(failed))
    })
}

/// The command line of a process with the commands that every process has.
fn command<C: Parser>(clients: &[&str]) -> Command {
    let healthcheck =
        Command::new(HEALTHCHECK).about("Ask the process on PORT whether it is ready; exit 0 if it is");
    let folder = Arg::new("folder").required(true).value_name("FOLDER").value_parser(value_parser!(PathBuf));
    let write_docs =
        Command::new(WRITE_DOCS).about("Write man pages and shell completions").hide(true).arg(folder);
    let command = C::command().subcommands([healthcheck, write_docs]);
    let command = command.subcommand_negates_reqs(true).args_override_self(true);
    let options = command.get_arguments().cloned().collect::<Vec<_>>();
    let name = command.get_name().to_owned();
    command.mut_subcommands(|subcommand| {
        if clients.contains(&subcommand.get_name()) || subcommand.get_name() == WRITE_DOCS {
            return subcommand;
        }
        accept_after(subcommand, &options, &name)
    })
}

/// Accepts the options of the process after a command too. Its help does not list them, because they would hide its own.
/// A global option carries its value to the process.
fn accept_after(subcommand: Command, options: &[Arg], process: &str) -> Command {
    let options = options.iter().filter(|option| option.get_long().is_some());
    let options = options.map(|option| option.clone().required(false).global(true).hide(true));
    let note = format!("The options of `{process} --help` are accepted here too.");
    subcommand.args(options).after_help(note)
}

#[expect(clippy::print_stderr, reason = "there is no log yet, and the person who runs the check reads this")]
fn exit(outcome: Result<(), String>) -> ! {
    if let Err(message) = &outcome {
        eprintln!("{message}");
    }
    std::process::exit(i32::from(outcome.is_err()))
}

fn old_names(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut arguments = Vec::new();
    if let (None, Some(environment)) = (variable("APP_ENV"), variable("NODE_ENV")) {
        arguments.push(format!("--environment={environment}"));
    }
    if let (None, Some(host)) = (variable("REDIS_URL"), variable("REDIS_HOST")) {
        let port = variable("REDIS_PORT").unwrap_or_else(|| "6379".into());
        let password = variable("REDIS_PASSWORD").map(|password| {
            format!(":{}@", form_urlencoded::byte_serialize(password.as_bytes()).collect::<String>())
        });
        arguments.push(format!("--redis-url=redis://{}{host}:{port}", password.unwrap_or_default()));
    }
    if let (None, Some(secret)) = (variable("JWT_ACCESS_SECRET"), variable("JWT_SECRET")) {
        arguments.push(format!("--jwt-access-secret={secret}"));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_old_stack_are_accepted() {
        let with = |set: &[(&str, &str)]| {
            old_names(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[("NODE_ENV", "production")]), ["--environment=production"]);
        assert!(with(&[("NODE_ENV", "production"), ("APP_ENV", "test")]).is_empty());
        let redis = with(&[("REDIS_HOST", "cache"), ("REDIS_PASSWORD", "p@ss/1")]);
        assert_eq!(redis, ["--redis-url=redis://:p%40ss%2F1@cache:6379"]);
        assert!(with(&[("REDIS_HOST", "cache"), ("REDIS_URL", "redis://x")]).is_empty());
        assert_eq!(with(&[("JWT_SECRET", "old")]), ["--jwt-access-secret=old"]);
        assert!(with(&[("JWT_SECRET", "old"), ("JWT_ACCESS_SECRET", "new")]).is_empty());
    }
}
