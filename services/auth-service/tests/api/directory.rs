use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};
use uuid::Uuid;

use crate::app::{App, PASSWORD, User};

async fn names(user: &User, query: &str) -> Vec<String> {
    let data = user.client.get(&format!("/api/auth/users/directory{query}")).await.data();
    data.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[actix_web::test]
async fn the_directory_has_the_names_of_people_and_nothing_else(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let answer = alice.client.get("/api/auth/users/directory").await;
    assert_eq!(answer.data(), json!([{"id": alice.id, "name": "alice"}, {"id": bob.id, "name": "bob"}]));
    let path = format!("/api/auth/users/directory?ids={},{},{}", bob.id, Uuid::new_v4(), bob.id);
    assert_eq!(alice.client.get(&path).await.data(), json!([{"id": bob.id, "name": "bob"}]));
    app.client.get("/api/auth/users/directory").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let root = app.admin("root").await;
    let token = root.client.post("/api/auth/tokens", &json!({"name": "scanner", "role": "viewer"})).await;
    let machine = app.client.with_token(token.data()["token"].as_str().unwrap());
    machine.get("/api/auth/users/directory").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn the_directory_is_searched_by_name_and_never_by_address(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut alice = app.sign_up("alice").await;
    for (name, address) in
        [("ÉLODIE Vert", "ev@secret.example"), ("x@y.zx@y.z", "x@y.z"), ("a_b 5%", "p@q.example")]
    {
        let body = json!({"name": name, "email": address, "password": PASSWORD});
        alice.client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
    }
    alice.client = app.client.with_token(&alice.access);
    assert_eq!(names(&alice, "?q=%C3%A9lodie").await, ["ÉLODIE Vert"]);
    assert_eq!(names(&alice, "?q=VERT").await, ["ÉLODIE Vert"]);
    assert_eq!(names(&alice, "?q=_").await, ["a_b 5%"]);
    assert_eq!(names(&alice, "?q=%25").await, ["a_b 5%"]);
    assert_eq!(names(&alice, "?q=x%40y").await, ["x@y.zx@y.z"], "a name may look like an address");
    for part in ["secret", "ev%40", "example", ".com", "vert%20ev", "q.ex"] {
        assert_eq!(names(&alice, &format!("?q={part}")).await, [""; 0], "{part}");
    }
}

#[rstest]
#[actix_web::test]
async fn the_directory_is_read_in_bounded_pages_s54(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    for nth in 0..4 {
        let body = json!({"name": "same name", "email": format!("n{nth}@x.example"), "password": PASSWORD});
        app.client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/auth/users/directory?limit=2{cursor}");
        let page = alice.client.get(&path).await.expect(StatusCode::OK);
        seen.extend(page["data"].as_array().unwrap().iter().map(|person| person["id"].to_string()));
        match page["page"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "nobody is listed twice");

    let ids = |count: usize| vec![alice.id.to_string(); count].join(",");
    assert_eq!(names(&alice, &format!("?ids={}", ids(100))).await, ["alice"]);
    for query in [
        format!("ids={}", ids(101)),
        "ids=x".into(),
        "ids=".into(),
        format!("ids={}&q=a", alice.id),
        "limit=0".into(),
        "limit=101".into(),
        "q=".into(),
        "q=%00".into(),
        "cursor=x".into(),
        // The name with a NUL, in a cursor.
        format!("cursor={}", http::cursor::encode(&json!(["\0", Uuid::nil()]))),
        "email=x".into(),
    ] {
        let answer = alice.client.get(&format!("/api/auth/users/directory?{query}")).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let page: Value = alice.client.get("/api/auth/users/directory?limit=100").await.json();
    assert_eq!(page["page"]["nextCursor"], Value::Null);
}
