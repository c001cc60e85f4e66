//! The options of the server before and after its commands.

use std::process::Command;

use crate::{BINARY, said};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(BINARY).args(arguments).env_clear().env("BCRYPT_COST", "4").output().unwrap();
    (output.status.success(), said(&output))
}

#[test]
fn options_of_the_server_work_before_and_after_a_command_and_the_last_one_counts() {
    let refusal = |arguments: &[&str]| {
        let (succeeded, text) = run(arguments);
        assert!(!succeeded);
        text
    };
    for arguments in [
        &["--data-dir", "/dev/null/a", "reset-password", "--email", "x@example.com"][..],
        &["reset-password", "--data-dir", "/dev/null/a", "--email", "x@example.com"],
        &["reset-password", "--email", "x@example.com", "--data-dir=/dev/null/a"],
        &["--data-dir=/dev/null/b", "reset-password", "--email=x@example.com", "--data-dir=/dev/null/a"],
        &["migrate-storage", "--to", "postgres://x", "--data-dir", "/dev/null/a"],
    ] {
        assert!(refusal(arguments).contains("/dev/null/a"), "{arguments:?}");
    }
    // Port 9 has no server, and the default would be another port.
    let check = refusal(&["healthcheck", "--port", "9", "--environment", "production"]);
    assert!(check.contains("no process listens on the port"), "{check}");
    let wrong = refusal(&["create-admin", "--port", "many", "--email", "x@example.com"]);
    assert!(wrong.contains("--port"), "{wrong}");
    // A client has its own options only.
    let client = refusal(&["ingest", "--data-dir", "x", "-", "--stack", "x"]);
    assert!(client.contains("unexpected argument '--data-dir'"), "{client}");
}

#[test]
fn the_help_of_a_command_lists_its_own_options_only() {
    for (command, own) in [
        ("create-admin", &["--email", "--name", "--promote"][..]),
        ("reset-password", &["--email"]),
        ("migrate-storage", &["--to"]),
        ("healthcheck", &[]),
    ] {
        let (succeeded, help) = run(&[command, "--help"]);
        assert!(succeeded && help.lines().count() < 25, "{help}");
        let options = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
        let options = options.map(|line| format!("--{}", line.split(' ').next().unwrap()));
        assert_eq!(options.collect::<Vec<_>>(), own, "{help}");
        assert!(help.contains("The options of `driftsentry --help` are accepted here too."), "{help}");
    }
    let (_, help) = run(&["--help"]);
    assert!(help.contains("--data-dir") && help.contains("migrate-storage"), "{help}");
}
