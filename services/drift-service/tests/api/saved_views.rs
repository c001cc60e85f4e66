//! Saved and shared views.

use contracts::Role;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::App;

async fn names(caller: &Client) -> Vec<Value> {
    let views = caller.get("/api/v1/views").await.data();
    views.as_array().unwrap().iter().map(|view| view["name"].clone()).collect()
}

#[rstest]
#[actix_web::test]
async fn a_view_belongs_to_a_person_who_may_share_it(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (ana, ben, viewer, admin) = (app.engineer(), app.engineer(), app.viewer(), app.admin());
    let view = json!({"name": "Prod, worst", "query": "stack=prod&sort=-severity"});
    let created = ana.post("/api/v1/views", &view).await.expect(StatusCode::CREATED)["data"].clone();
    assert_eq!((&created["isShared"], &created["query"]), (&json!(false), &view["query"]));
    let path = format!("/api/v1/views/{}", created["id"].as_str().unwrap());
    assert_eq!(names(&ana).await, ["Prod, worst"]);
    assert!(names(&ben).await.is_empty() && names(&admin).await.is_empty());
    for stranger in [&ben, &viewer, &admin] {
        stranger.patch(&path, &json!({"name": "x"})).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
        stranger.delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    let shared = ana.patch(&path, &json!({"isShared": true, "name": "All of us"})).await.data();
    assert_eq!((&shared["query"], &shared["name"]), (&view["query"], &json!("All of us")));
    for other in [&ben, &viewer, &admin] {
        assert_eq!(names(other).await, ["All of us"]);
        other.patch(&path, &json!({"name": "x"})).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }
    ben.delete(&path).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    ana.patch(&path, &json!({})).await.data();
    admin.delete(&path).await.expect(StatusCode::OK);
    assert!(names(&ana).await.is_empty());

    // A viewer keeps views, and cannot show them to others.
    let own = viewer.post("/api/v1/views", &view).await.expect(StatusCode::CREATED)["data"].clone();
    let own = format!("/api/v1/views/{}", own["id"].as_str().unwrap());
    viewer.patch(&own, &json!({"isShared": true})).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let shared = json!({"name": "n", "query": "", "isShared": true});
    viewer.post("/api/v1/views", &shared).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    viewer.delete(&own).await.expect(StatusCode::OK);
    for bad in [
        json!({"name": "", "query": ""}),
        json!({"name": "x".repeat(81), "query": ""}),
        json!({"name": "n", "query": "x".repeat(2001)}),
        json!({"name": "n", "query": "a\u{0}"}),
        json!({"name": "n"}),
    ] {
        ana.post("/api/v1/views", &bad).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[actix_web::test]
async fn a_person_has_at_most_a_hundred_views() {
    let app = App::start(Backend::Memory).await;
    let ana = app.caller(Role::Viewer);
    let view = json!({"name": "n", "query": "q=1"});
    for _ in 0..100 {
        ana.post("/api/v1/views", &view).await.expect(StatusCode::CREATED);
    }
    ana.post("/api/v1/views", &view).await.error(StatusCode::CONFLICT, "CONFLICT");
    app.viewer().post("/api/v1/views", &view).await.expect(StatusCode::CREATED);

    // Shared views of others, whose names come first, hide no own view.
    for ben in
        [app.engineer(), app.engineer(), app.engineer(), app.engineer(), app.engineer(), app.engineer()]
    {
        let shared = json!({"name": "A", "query": "", "isShared": true});
        for _ in 0..100 {
            ben.post("/api/v1/views", &shared).await.expect(StatusCode::CREATED);
        }
    }
    let names = names(&ana).await;
    assert_eq!((names.len(), &names[99], &names[100]), (600, &json!("n"), &json!("A")));
}
