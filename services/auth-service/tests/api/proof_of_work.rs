//! Proof of work, as a browser does it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testing::{Answer, Backend, StatusCode};

use crate::app::{App, PASSWORD, email};

const POW: &str = "--abuse-protection=pow";

/// Solves a new challenge.
async fn solved(app: &App) -> Value {
    let mut solution = app.client.get("/api/auth/challenge").await.expect(StatusCode::OK);
    let (salt, challenge) = (solution["salt"].as_str().unwrap(), solution["challenge"].as_str().unwrap());
    let hash = |number: &u64| {
        let digest = Sha256::digest(format!("{salt}{number}"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let number =
        (0..=solution["maxnumber"].as_u64().unwrap()).find(|number| hash(number) == challenge).unwrap();
    solution["number"] = json!(number);
    solution["took"] = json!(812);
    solution
}

fn payload(solution: &Value) -> String {
    STANDARD.encode(solution.to_string())
}

async fn sign_up(app: &App, name: &str, altcha: Option<&str>) -> Answer {
    let mut body = json!({"name": name, "email": email(name), "password": PASSWORD});
    if let Some(altcha) = altcha {
        body["altcha"] = json!(altcha);
    }
    app.client.post("/api/auth/signup", &body).await
}

/// Asserts that a sign-up is refused because of its proof of work.
fn assert_refused(answer: &Answer, reason: &str) {
    let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let detail = &error["details"][0];
    assert_eq!(detail["field"], "altcha", "{error}");
    let message = detail["message"].as_str().unwrap();
    assert!(message.contains(reason) && message.contains("solve"), "{message}");
}

#[actix_web::test]
async fn a_solution_is_accepted_once_on_all_replicas() {
    let app = App::with(Backend::Real, &[POW]).await;
    let replica = app.replica().await;
    assert_refused(&sign_up(&app, "alice", None).await, "is missing");
    assert_refused(&sign_up(&app, "alice", Some("")).await, "is missing");
    let solution = payload(&solved(&app).await);
    let names = (0..8).map(|nth| format!("user{nth}")).collect::<Vec<_>>();
    let attempts = names.iter().zip([&app, &replica].into_iter().cycle());
    let answers = join_all(attempts.map(|(name, app)| sign_up(app, name, Some(&solution)))).await;
    let (created, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(created.len(), 1);
    refused.iter().for_each(|answer| assert_refused(answer, "was used"));
}

#[actix_web::test]
async fn a_solution_that_is_old_or_altered_is_refused() {
    let app = App::with(Backend::Memory, &[POW]).await;
    let solution = solved(&app).await;
    let altered = |field: &str, value: Value| {
        let mut altered = solution.clone();
        altered[field] = value;
        payload(&altered)
    };
    let salt = solution["salt"].as_str().unwrap();
    let number = solution["number"].as_u64().unwrap();
    for altered in [
        altered("number", json!(number + 1)),
        altered("number", json!(100_001)),
        altered("number", json!(-1)),
        altered("number", json!(number.to_string())),
        altered("algorithm", json!("SHA-1")),
        altered("salt", json!(salt.replace("?expires=1", "?expires=2"))),
        altered("salt", json!(salt.trim_end_matches('&'))),
        altered("challenge", json!("00")),
        altered("signature", json!("00")),
        altered("signature", json!("not hexadecimal")),
        solution.to_string(),
        STANDARD.encode("{}"),
        "x".repeat(10_000),
    ] {
        assert_refused(&sign_up(&app, "alice", Some(&altered)).await, "is not the solution");
    }
    sign_up(&app, "alice", Some(&payload(&solution))).await.expect(StatusCode::CREATED);

    let in_time = payload(&solved(&app).await);
    app.advance(TimeDelta::minutes(10) - TimeDelta::seconds(5));
    sign_up(&app, "bob", Some(&in_time)).await.expect(StatusCode::CREATED);
    let late = payload(&solved(&app).await);
    app.advance(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    assert_refused(&sign_up(&app, "carol", Some(&late)).await, "has expired");
    assert_refused(&sign_up(&app, "carol", Some(&in_time)).await, "has expired");
}

#[actix_web::test]
async fn a_solution_from_before_the_rotation_of_the_secret_is_accepted() {
    let app = App::with(Backend::Memory, &[POW]).await;
    let solution = payload(&solved(&app).await);
    let rotated = ["--jwt-refresh-secret=another refresh secret of the tests"];
    let previous = ["--jwt-refresh-secret-previous=a refresh secret of the tests"];
    let foreign = app.replica_with(&rotated.map(str::to_owned)).await;
    assert_refused(&sign_up(&foreign, "alice", Some(&solution)).await, "is not the solution");
    let replica = app
        .replica_with(&[rotated, previous].concat().iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
        .await;
    sign_up(&replica, "alice", Some(&solution)).await.expect(StatusCode::CREATED);
}

#[actix_web::test]
async fn without_the_protection_no_proof_of_work_is_needed() {
    let app = App::start(Backend::Memory).await;
    app.client.get("/api/auth/challenge").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    sign_up(&app, "alice", None).await.expect(StatusCode::CREATED);
    sign_up(&app, "bob", Some("anything")).await.expect(StatusCode::CREATED);
}
