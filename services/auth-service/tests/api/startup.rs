use std::io::Write;
use std::process::{Command, Output, Stdio};

use rstest::rstest;
use testing::{Backend, StatusCode};

use crate::app::App;

pub(crate) const GOOD: &str = "Zx8vQ2mN5pR7tW1yB4cD6fG9hJ3kL0sA";

pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_auth-service"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments ends without reading.
    process.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    process.wait_with_output().unwrap()
}

#[test]
fn unsafe_settings_are_refused_by_name_outside_development_s06() {
    let good = [
        ("NODE_ENV", "production"),
        ("DATABASE_URL", "sqlite::memory:"),
        ("REDIS_URL", "memory:"),
        ("JWT_ACCESS_SECRET", GOOD),
        ("JWT_REFRESH_SECRET", GOOD),
    ];
    assert!(run(&["migrate"], &good, "").status.success());
    let in_development = [("JWT_ACCESS_SECRET", GOOD), ("JWT_REFRESH_SECRET", ""), good[1], good[2]];
    let refused = run(&["migrate"], &in_development, "");
    assert!(!refused.status.success(), "there is no key to sign with that everybody knows");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("JWT_REFRESH_SECRET"));
    for (variable, value) in [
        ("JWT_ACCESS_SECRET", "Zx8vQ2mN5pR7tW1yB4cD6f"),
        ("JWT_REFRESH_SECRET", ""),
        ("JWT_REFRESH_SECRET", "Zx8vQ2mN5pR7tW1yB4cD6f"),
        ("JWT_KEY_ROTATION", "59m"),
        ("JWT_REFRESH_SECRET", "your-super-secret-refresh-key-change-me"),
        ("DEMO_USERS", "true"),
        ("BCRYPT_COST", "4"),
        ("BCRYPT_COST", "fast"),
        ("MAX_SESSIONS_PER_USER", "0"),
        ("DATABASE_URL", "postgres//user:password-4711@host/name"),
        ("DATABASE_URL", "postgres://user:password-4711@127.0.0.1:1/name"),
    ] {
        let mut environment = good.to_vec();
        environment.retain(|(name, _)| *name != variable);
        environment.push((variable, value));
        let refused = run(&["migrate"], &environment, "");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{variable}={value} was accepted");
        let flag = variable.to_lowercase().replace('_', "-");
        assert!(told.contains(variable) || told.contains(&flag), "{variable}={value}: {told}");
        assert!(value.len() < 20 || !told.contains(value), "{told}");
    }
}

#[test]
fn a_zero_that_makes_no_sense_is_refused_by_name() {
    for (variable, zero) in [
        ("LOGINS_PER_ACCOUNT", "0"),
        ("LOGINS_PER_IP", "0"),
        ("LOGIN_FAILURES_PER_ACCOUNT", "0"),
        ("LOGIN_FAILURES_PER_ACCOUNT_PER_DAY", "0"),
        ("LOGIN_FAILURES_PER_IP", "0"),
        ("LOGIN_FAILURES_TOTAL", "0"),
        ("SIGNUPS_PER_IP", "0"),
        ("SIGNUPS_TOTAL", "0"),
        ("SIGNUP_CONFLICTS_PER_IP", "0"),
        ("REFRESHES_PER_SESSION", "0"),
        ("REFRESHES_PER_USER", "0"),
        ("PASSWORD_QUEUE", "0"),
        ("SESSION_SWEEP_INTERVAL", "0s"),
        ("JWT_ACCESS_EXPIRY", "0s"),
        ("JWT_REFRESH_EXPIRY", "0s"),
    ] {
        let environment = [
            ("DATABASE_URL", "sqlite::memory:"),
            ("REDIS_URL", "memory:"),
            ("JWT_ACCESS_SECRET", GOOD),
            ("JWT_REFRESH_SECRET", GOOD),
            (variable, zero),
        ];
        let refused = run(&["migrate"], &environment, "");
        let flag = variable.to_lowercase().replace('_', "-");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && told.contains(&flag), "{variable}: {told}");
    }
}

#[rstest]
#[actix_web::test]
async fn the_first_admin_is_created_from_a_shell(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let stores = backend.start().await;
    let url = stores.database_url().await;
    let environment = [
        ("NODE_ENV", "production"),
        ("DATABASE_URL", url.as_str()),
        ("REDIS_URL", "memory:"),
        ("JWT_ACCESS_SECRET", GOOD),
        ("JWT_REFRESH_SECRET", GOOD),
    ];
    let create = |email: &str, input: &str| run(&["create-admin", "--email", email], &environment, input);
    assert!(!create("root@example.com", "short\n").status.success());
    assert!(!create("root", "correct horse\n").status.success());
    let made = create("Root@example.com", "correct horse\n");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(!create("root@example.com", "correct horse\n").status.success());

    let app = App::on_database(stores, url).await;
    let answer = app.try_log_in("root@example.com", "correct horse").await.expect(StatusCode::OK);
    assert_eq!(answer["data"]["user"]["role"], "admin");
}

#[test]
fn an_unusable_list_of_breached_passwords_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords.filter");
    std::fs::write(&file, "password\n").unwrap();
    let file = file.display().to_string();
    let refusal = |policy, file: &str| {
        let environment = [
            ("DATABASE_URL", "sqlite::memory:"),
            ("REDIS_URL", "memory:"),
            ("JWT_ACCESS_SECRET", GOOD),
            ("JWT_REFRESH_SECRET", GOOD),
            ("PASSWORD_POLICY", policy),
            ("PASSWORD_BLOCKLIST", file),
        ];
        let refused = run(&["migrate"], &environment, "");
        assert!(!refused.status.success());
        String::from_utf8_lossy(&refused.stderr).into_owned()
    };
    for (policy, file, reason) in [
        ("strong", file.as_str(), "is not a list of breached passwords"),
        ("strong", "/nowhere", "No such file"),
        ("length", &file, "needs PASSWORD_POLICY=strong"),
    ] {
        let told = refusal(policy, file);
        assert!(told.contains("PASSWORD_BLOCKLIST") && told.contains(reason), "{told}");
    }
}

#[test]
fn settings_that_need_mail_are_refused_without_it_outside_development() {
    for (variable, value) in
        [("VERIFY_EMAIL", "true"), ("SIGNUP", "domain:example.com"), ("LOGIN_METHODS", "password,email")]
    {
        let environment = [
            ("NODE_ENV", "production"),
            ("DATABASE_URL", "sqlite::memory:"),
            ("REDIS_URL", "memory:"),
            ("JWT_ACCESS_SECRET", GOOD),
            ("JWT_REFRESH_SECRET", GOOD),
            (variable, value),
        ];
        let refused = run(&["migrate"], &environment, "");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && told.contains(variable) && told.contains("SMTP_URL"), "{told}");
    }
}
