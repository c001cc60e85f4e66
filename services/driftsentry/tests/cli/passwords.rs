//! Lists of breached passwords, as an operator builds and asks them.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::{BINARY, said};

fn passwords(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.arg("passwords").args(arguments).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

#[test]
fn a_list_is_built_from_a_dump_and_asked_for_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (dump, list) = (path("dump.txt"), path("passwords.filter"));
    // The SHA-1 of "battery staple".
    fs::write(&dump, "correct horse\nE3FF046AE352440B76336C0DF21CBAB0D9D7E9DA:12\n").unwrap();

    let built = passwords(&["build", "--from", &dump, "--out", &list], "");
    assert!(built.status.success(), "{}", said(&built));
    let line = String::from_utf8_lossy(&built.stdout).into_owned();
    assert!(line.contains("passwords.filter: 2 passwords"), "{line}");

    let known = passwords(&["check", "--filter", &list], "correct horse\n");
    assert_eq!(known.status.code(), Some(1), "{}", said(&known));
    assert!(String::from_utf8_lossy(&known.stderr).contains("the password is on the list"));
    let hashed = passwords(&["check", "--filter", &list], "battery staple\n");
    assert_eq!(hashed.status.code(), Some(1), "{}", said(&hashed));
    let unknown = passwords(&["check", "--filter", &list], "correct horses\n");
    assert!(unknown.status.success(), "{}", said(&unknown));

    let foreign = passwords(&["check", "--filter", &dump], "correct horse\n");
    assert!(String::from_utf8_lossy(&foreign.stderr).contains("is not a list of breached passwords"));
    let missing = passwords(&["build", "--from", &path("none"), "--out", &list], "");
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
}
