//! `driftsentry scan` with a program that stands in for Terraform (fake_terraform.sh).

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use testing::eventually;

use crate::infrastructure::{CLEAN, Infrastructure, SECRET, unpacked};
use crate::{App, said};

async fn stacks(app: &App) -> Vec<String> {
    let drifts = app.client.get("/api/v1/drifts?limit=100&status=detected").await.data();
    let stack = |drift: &Value| drift["stack"].as_str().unwrap().to_owned();
    let mut stacks: Vec<String> = drifts.as_array().unwrap().iter().map(stack).collect();
    stacks.sort();
    stacks.dedup();
    stacks
}

#[tokio::test]
async fn each_root_module_is_planned_and_sent_as_one_complete_stack() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["prod/db", "prod/vpc"]);
    fs::create_dir(infra.path("infra/modules")).unwrap();
    infra.set("modules", "main.tf", "resource \"a\" \"b\" {}");
    let scan = |arguments: &[&str]| infra.scan(app.client.base(), &token, arguments);

    let dry = scan(&["--dry-run", "--init"]);
    assert_eq!(dry.status.code(), Some(0), "{}", said(&dry));
    for shown in [
        "Stack prod/db in",
        "terraform init -input=false",
        "terraform plan -refresh-only",
        "terraform show -json",
    ] {
        assert!(said(&dry).contains(shown), "{shown}: {}", said(&dry));
    }
    assert_eq!(infra.read("prod/db", "steps"), "");

    let first = scan(&[]);
    assert_eq!(first.status.code(), Some(2), "{}", said(&first));
    assert_eq!(stacks(&app).await, ["prod/db", "prod/vpc"]);
    assert_eq!(infra.read("prod/db", "steps"), "plan\nshow\n");

    infra.plans("prod/db", CLEAN);
    let second = scan(&["--init", "--json"]);
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    let report: Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!((&report["resolved"], &report["unchanged"]), (&json!(1), &json!(1)));
    assert_eq!(stacks(&app).await, ["prod/vpc"]);
    assert!(infra.read("prod/db", "steps").ends_with("init\nplan\nshow\n"));

    let named = scan(&["--stack", "eu/{module}", "--fail-on", "critical"]);
    assert_eq!(named.status.code(), Some(2), "{}", said(&named));
    assert_eq!(stacks(&app).await, ["eu/prod/vpc", "prod/vpc"]);
    infra.assert_no_plan_is_left();
}

#[tokio::test]
async fn a_module_that_fails_sends_nothing_and_the_others_are_scanned() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["bad_plan", "bad_show", "good"]);
    infra.set("bad_plan", "plan_fails", "");
    infra.set("bad_show", "show_fails", "");
    let output = infra.scan(app.client.base(), &token, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["failed"], &report["created"]), (&json!(["bad_plan", "bad_show"]), &json!(1)));
    assert_eq!(stacks(&app).await, ["good"]);
    let text = said(&output);
    assert!(text.contains("bad_plan was not scanned: terraform plan failed"), "{text}");
    assert!(text.contains("Error: no access with"), "{text}");
    for secret in ["swordfish1", SECRET, token.as_str()] {
        assert!(!text.contains(secret), "{text}");
    }
    infra.assert_no_plan_is_left();
    let refused = infra.scan(app.client.base(), "not-a-token", &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("not scanned: bad_plan, bad_show, good"), "{}", said(&refused));
}

#[tokio::test]
async fn the_tool_gets_the_environment_without_the_token() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["prod"]);
    infra.scan(app.client.base(), &token, &[]);
    let environment = infra.read("prod", "environment");
    assert!(environment.contains(&format!("AWS_SECRET_ACCESS_KEY={SECRET}")), "{environment}");
    assert!(environment.contains("TF_IN_AUTOMATION=1"), "{environment}");
    assert!(!environment.contains("DRIFTSENTRY_") && !environment.contains(&token), "{environment}");
    // The file is in a folder that only its owner can read, outside the module.
    let file = infra.read("prod", "plan_files");
    assert!(file.starts_with(infra.path("temporary").to_str().unwrap()), "{file}");
}

#[tokio::test]
async fn a_plan_counts_as_complete_unless_it_may_be_targeted() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["prod"]);
    infra.scan(app.client.base(), &token, &[]);
    // OpenTofu does not state whether a plan is complete.
    let mut plan: Value = serde_json::from_str(&unpacked(CLEAN)).unwrap();
    plan.as_object_mut().unwrap().remove("complete");
    infra.set("prod", "plan.json", &plan.to_string());
    infra.install("terragrunt");
    let resolved = |targets: &str, tool: &str| {
        let mut command = infra.command(&token);
        command.env("TF_CLI_ARGS_plan", targets).args(["--json", "--tool", tool, "--url", app.client.base()]);
        let output = command.output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["resolved"].clone()
    };
    assert_eq!(resolved("-target=aws_x.y", "terraform"), 0);
    assert_eq!(resolved("-lock=false", "terragrunt"), 0);
    assert_eq!(resolved("-lock=false", "terraform"), 1);
}

#[tokio::test]
async fn as_many_modules_are_planned_at_once_as_jobs_says() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["a", "b"]);
    infra.set("a", "meets", "../b");
    infra.set("b", "meets", "../a");
    let both = infra.scan(app.client.base(), &token, &["--jobs", "2", "--timeout", "60s"]);
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));

    let infra = Infrastructure::new(&["a", "b", "c"]);
    ["a", "b", "c"].iter().for_each(|module| infra.set(module, "alone", ""));
    let alone = infra.scan(app.client.base(), &token, &["--jobs", "1", "--stack", "alone/{module}"]);
    assert_eq!(alone.status.code(), Some(2), "{}", said(&alone));
    assert!(!infra.path("infra/overlapped").exists());
}

#[tokio::test]
async fn a_module_that_takes_too_long_is_ended_with_its_children() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["good", "slow"]);
    infra.set("slow", "hangs", "");
    // Long enough for the tool to hold its lock on a busy machine.
    let output = infra.scan(app.client.base(), &token, &["--timeout", "8s"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("terraform plan took longer than 8s"), "{}", said(&output));
    assert_eq!(stacks(&app).await, ["good"]);
    assert_eq!(infra.read("slow", "lock"), "given back\n");
    infra.assert_child_ends("slow").await;
    infra.assert_no_plan_is_left();
}

#[tokio::test]
async fn a_scan_that_is_asked_to_stop_ends_its_tools_and_sends_nothing() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    for signal in ["-TERM", "-INT"] {
        let infra = Infrastructure::new(&["slow", "waiting"]);
        infra.set("slow", "hangs", "");
        let mut scanning = infra.start(app.client.base(), &token, &["--jobs", "1"]);
        eventually("the tool hangs", async || infra.read("slow", "child").ends_with('\n')).await;
        assert!(Command::new("kill").args([signal, &scanning.id().to_string()]).status().unwrap().success());
        assert_eq!(scanning.ended().await.code(), Some(1), "{}", scanning.log());
        scanning.wait_for_log("terraform plan was interrupted").await;
        infra.assert_child_ends("slow").await;
        infra.assert_no_plan_is_left();
        assert_eq!(infra.read("waiting", "steps"), "");
    }
    assert!(stacks(&app).await.is_empty());
}

#[tokio::test]
async fn watch_repeats_the_scan_until_it_is_asked_to_stop() {
    let app = App::start().await;
    let (_, token) = app.service_token().await;
    let infra = Infrastructure::new(&["a", "b"]);
    ["a", "b"].iter().for_each(|module| infra.set(module, "alone", ""));
    let mut watching = infra.start(app.client.base(), &token, &["--jobs", "1", "--watch", "1s"]);
    eventually("three scans", async || infra.read("b", "steps").matches("show").count() >= 3).await;
    watching.terminate();
    assert!(watching.ended().await.success(), "{}", watching.log());
    // One run never begins before the one before it has ended.
    assert!(!infra.path("infra/overlapped").exists());
    infra.assert_no_plan_is_left();
}

#[test]
fn the_tool_fits_the_module_and_a_mistake_is_named() {
    let infra = Infrastructure::new(&["a", "b", "c"]);
    infra.set("b", "x.tofu", "");
    infra.set("c", "terragrunt.hcl", "terraform {}");
    let dry = |arguments: &[&str]| {
        let output = infra.scan("http://127.0.0.1:9", "token", &[&["--dry-run"], arguments].concat());
        (output.status.code(), said(&output))
    };
    let (_, auto) = dry(&[]);
    for shown in ["terraform plan", "tofu plan", "terragrunt plan"] {
        assert_eq!(auto.matches(&format!("  {shown} ")).count(), 1, "{auto}");
    }
    assert_eq!(dry(&["--tool", "tofu"]).1.matches("tofu plan").count(), 3);
    let (code, text) = dry(&["--stack", "same"]);
    assert!(code == Some(1) && text.contains("would both be the stack same"), "{text}");
    let below = infra.path("infra");
    fs::create_dir_all(below.join("team")).unwrap();
    fs::rename(below.join("a"), below.join("team/a")).unwrap();
    let (code, text) = dry(&[below.join("team").to_str().unwrap()]);
    assert!(code == Some(1) && text.contains("is in two of the folders"), "{text}");
    for (arguments, named) in [
        (&["--timeout", "soon"][..], "--timeout"),
        (&["--timeout", "0s"], "must be 1s to 30d"),
        (&["--jobs", "0"], "--jobs"),
    ] {
        let (code, text) = dry(arguments);
        assert!(code == Some(1) && text.contains(named), "{text}");
    }
    let failed = |token: &str, arguments: &[&str]| {
        let output = infra.scan("http://127.0.0.1:9", token, arguments);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    assert!(failed("", &[]).contains("DRIFTSENTRY_TOKEN is missing"));
    assert!(failed("token", &[]).contains("cannot run terragrunt plan; is it in PATH?"));
    fs::remove_dir_all(infra.path("infra")).unwrap();
    fs::create_dir(infra.path("infra")).unwrap();
    assert!(failed("token", &[]).contains("has no root module"));
}
