//! The file `.env` in the working folder.

use std::fs;
use std::process::{Command, Output};

use crate::BINARY;

fn help(env_file: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), env_file).unwrap();
    let mut program = Command::new(BINARY);
    program.env_clear().envs(variables.iter().copied());
    program.args(arguments).arg("--help").current_dir(folder.path()).output().unwrap()
}

#[test]
fn the_file_sets_variables_that_are_unset_in_development_only() {
    for (variables, arguments, port) in [
        (&[][..], &[][..], "[env: PORT=4999]"),
        (&[("APP_ENV", "development")], &[], "[env: PORT=4999]"),
        (&[("PORT", "5000")], &[], "[env: PORT=5000]"),
        (&[("APP_ENV", "production")], &[], "[env: PORT=]"),
        (&[("NODE_ENV", "production")], &[], "[env: PORT=]"),
        (&[], &["--environment=staging"], "[env: PORT=]"),
    ] {
        let text = String::from_utf8(help("# a comment\nPORT=4999\n", variables, arguments).stdout).unwrap();
        assert!(text.contains(port), "{variables:?} {arguments:?}: {text}");
    }
}

#[test]
fn the_file_of_a_deployment_is_not_read() {
    let text = String::from_utf8(help("NODE_ENV=production\nPORT=4999\n", &[], &[]).stdout).unwrap();
    assert!(text.contains("[env: PORT=]"), "{text}");
}

#[test]
fn a_client_reads_no_file_of_the_folder_it_runs_in() {
    let output = help("DRIFTSENTRY_URL=http://stranger.example\n", &[], &["ingest"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[env: DRIFTSENTRY_URL=]"), "{text}");
}

#[test]
fn an_unreadable_file_is_named_without_its_contents() {
    let output = help("hunter2 hunter2\n", &[], &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with(".env has a line") && !text.contains("hunter2"), "{text}");
}
