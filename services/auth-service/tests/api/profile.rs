use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, email};

#[rstest]
#[actix_web::test]
async fn people_change_their_own_profile(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let me = alice.client.get("/api/auth/me").await.data();
    for field in ["timeZone", "language", "notifications", "emailVerifiedAt"] {
        assert_eq!(me.get(field), Some(&Value::Null), "{field}");
    }
    let notifications = json!({"drift": {"mail": ["critical"]}, "text": "a\u{0}b"});
    let change = json!({
        "name": "Élodie", "timeZone": "Europe/Berlin", "language": "pt-BR", "notifications": notifications,
    });
    let changed = alice.client.patch("/api/auth/me", &change).await.data();
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    assert_eq!(alice.client.get("/api/auth/me").await.data(), changed);
    assert_eq!((&changed["email"], &changed["role"]), (&json!(alice.email), &json!("viewer")));

    // An absent field stays, and null removes it.
    alice.client.patch("/api/auth/me", &json!({"language": null})).await.expect(StatusCode::OK);
    let me = alice.client.patch("/api/auth/me", &json!({})).await.data();
    assert_eq!((&me["language"], &me["timeZone"]), (&Value::Null, &json!("Europe/Berlin")));
    assert_eq!(me["name"], "Élodie");
    assert!(alice.is_in().await, "the session and its token stay");
    let found = root.client.get("/api/auth/users?q=%C3%A9lodie").await.data();
    assert_eq!(found[0]["id"], json!(alice.id));
    let audit = root.client.get(&format!("/api/auth/audit?userId={}&action=profile_updated", alice.id)).await;
    assert_eq!(audit.data().as_array().unwrap().len(), 1, "only the name is of interest to admins");
}

#[rstest]
#[actix_web::test]
async fn a_profile_has_bounds_and_no_other_fields_s54(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a\nb")),
        ("timeZone", json!("Europe/Atlantis")),
        ("timeZone", json!("../../etc/passwd")),
        ("language", json!("de_DE")),
        ("notifications", json!({"a": "x".repeat(4_096)})),
        ("notifications", deep),
        ("notifications", json!([])),
        ("role", json!("admin")),
        ("isActive", json!(true)),
        ("email", json!(email("mallory"))),
        ("emailVerifiedAt", json!("2026-01-01T00:00:00Z")),
    ] {
        let body = Value::from_iter([(field, value)]);
        let answer = alice.client.patch("/api/auth/me", &body).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{error}");
    }
    let token = root.client.post("/api/auth/tokens", &json!({"name": "scanner", "role": "viewer"})).await;
    let machine = app.client.with_token(token.data()["token"].as_str().unwrap());
    machine.patch("/api/auth/me", &json!({"name": "X"})).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let anybody = app.client.patch("/api/auth/me", &json!({"name": "X"})).await;
    anybody.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    for _ in 0..100 {
        alice.client.patch("/api/auth/me", &json!({"language": "de"})).await.expect(StatusCode::OK);
    }
    let answer = alice.client.patch("/api/auth/me", &json!({"language": "de"})).await;
    answer.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
}
