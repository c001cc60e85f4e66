//! The files for CI services in deploy/ci: each is YAML, and runs commands that exist with options that they have.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use saphyr_parser::{Event, Parser};

use crate::infrastructure::{Infrastructure, unpacked};
use crate::{App, BINARY, said};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/ci");
const FILES: [&str; 3] = ["github/action.yml", "gitlab/driftsentry.yml", "kubernetes/cronjob.yaml"];

/// Returns the scalars of a YAML file, in order.
fn scalars(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
    let mut events = Parser::new_from_str(&text);
    let mut scalars = Vec::new();
    while let Some(event) = events.next_event() {
        if let (Event::Scalar(value, ..), _) = event.unwrap_or_else(|error| panic!("{file}: {error}")) {
            scalars.push(value.into_owned());
        }
    }
    scalars
}

/// Returns the options that the help of a command lists.
fn options(command: &str) -> Vec<String> {
    let help = said(&Command::new(BINARY).args([command, "--help"]).env_clear().output().unwrap());
    let lines = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    lines.map(|line| format!("--{}", line.split([' ', '[', '=']).next().unwrap())).collect()
}

/// Returns the command lines of `driftsentry` in a file, each as its words.
fn commands(file: &str) -> Vec<Vec<String>> {
    let scalars = scalars(file);
    let in_scripts = scalars.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let command = line.split_once("driftsentry ")?.1;
        Some(command.split(" ;;").next()?.split_whitespace().map(Into::into).collect())
    });
    let is_command = |words: &Vec<String>| ["scan", "ingest", "guard"].contains(&words[0].as_str());
    let mut commands: Vec<Vec<String>> = in_scripts.filter(is_command).collect();
    // Kubernetes has one scalar for each word.
    if let Some(at) = scalars.iter().position(|text| text == "args") {
        commands.push(scalars[at + 1..].iter().take_while(|word| *word != "env").cloned().collect());
    }
    commands
}

#[test]
fn each_command_in_the_files_for_ci_exists_with_its_options() {
    let mut seen = BTreeMap::new();
    for file in FILES {
        for words in commands(file) {
            let known = options(&words[0]);
            assert!(known.len() > 5, "{known:?}");
            for option in words[1..].iter().filter(|word| word.starts_with("--") && *word != "--") {
                assert!(known.contains(option), "{file}: {} has no {option}", words[0]);
            }
            *seen.entry(file).or_insert(0) += 1;
        }
    }
    assert_eq!(seen, BTreeMap::from([(FILES[0], 3), (FILES[1], 3), (FILES[2], 1)]));
}

#[tokio::test]
async fn the_scripts_for_ci_services_run_the_command_that_the_job_names() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["prod"]);
    std::os::unix::fs::symlink(BINARY, infra.path("bin/driftsentry")).unwrap();
    infra.set("prod", "plan.json.txt", &unpacked("fakeaws_1/plan.json.gz"));
    let plan = infra.path("infra/prod/plan.json.txt").display().to_string();
    let modules = infra.path("infra").display().to_string();
    for (file, shell) in [(FILES[0], "bash"), (FILES[1], "sh")] {
        let is_script = |text: &String| text.contains("driftsentry scan") && text.contains('\n');
        let script = scalars(file).into_iter().find(is_script).unwrap();
        // The second stack has no scan.
        for (command, target, stack, code) in [
            ("scan", &modules, "", 2),
            ("ingest", &plan, file, 2),
            ("guard", &plan, file, 3),
            ("guard", &plan, "; exit 7 $(exit 7)", 0),
        ] {
            let mut job = Command::new(shell);
            job.args(["-c", &script]).env_clear().envs(infra.environment(&token));
            job.env("DRIFTSENTRY_URL", app.client.base()).env("COMMAND", command).env("TARGET", target);
            job.env("STACK", stack).env("TOOL", "auto").env("INIT", "true").env("FAIL_ON", "any");
            let output = job.output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{file} {command}: {}", said(&output));
        }
        // The next file scans the same module as a new stack.
        let drifts = app.client.get("/api/v1/drifts?stack=prod").await.data();
        let id = drifts[0]["id"].as_str().unwrap().to_owned();
        let admin = app.client.with_token(&app.token("admin").await);
        admin.delete(&format!("/api/v1/drifts/{id}")).await.expect(testing::StatusCode::OK);
    }
}

#[test]
fn no_input_of_a_ci_service_becomes_a_part_of_a_script() {
    for file in FILES {
        for script in scalars(file).iter().filter(|text| text.contains('\n')) {
            assert!(!script.contains("${{") && !script.contains("$[["), "{file}: {script}");
            // A path or a name that begins with a hyphen is no option.
            for line in script.lines().filter(|line| line.contains("\"$TARGET\"")) {
                assert!(line.contains("-- \"$TARGET\""), "{file}: {line}");
            }
        }
    }
}

#[test]
fn the_cron_job_is_confined_and_takes_its_token_from_a_secret() {
    let text = std::fs::read_to_string(Path::new(FOLDER).join(FILES[2])).unwrap();
    for line in [
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [ALL]",
        "automountServiceAccountToken: false",
        "concurrencyPolicy: Forbid",
        "medium: Memory",
    ] {
        assert!(text.contains(line), "{line}");
    }
    let scalars = scalars(FILES[2]);
    assert!(scalars.windows(3).any(|words| words == ["secretRef", "name", "driftsentry-scan"]));
    assert!(!scalars.contains(&"DRIFTSENTRY_TOKEN".to_owned()));
}
