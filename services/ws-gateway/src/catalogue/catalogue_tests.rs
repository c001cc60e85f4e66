use serde_json::{Value, json};

use super::*;
use crate::catalogue::is_reserved;
use crate::catalogue::room::Fields;
use crate::catalogue::route::Shape;

fn built_in() -> Catalogue {
    Catalogue::load(None).unwrap()
}

/// The fields of a message as it is published: `{payload, userId?, accountId?}`.
fn fields(body: &Value) -> Fields<'_> {
    Fields {
        user_id: body["userId"].as_str(),
        account_id: body["accountId"].as_str(),
        payload: &body["payload"],
    }
}

fn rooms(channel: &str, body: Value) -> Vec<String> {
    built_in().route(channel).unwrap().rooms(channel, &fields(&body))
}

fn extended(text: &str) -> Result<Catalogue, CatalogueError> {
    let mut catalogue = Catalogue { routes: Vec::new(), subscribable: BTreeSet::new() };
    catalogue.extend("test.toml", text).map(|()| catalogue)
}

#[test]
fn a_new_drift_goes_to_the_drifts_room_to_its_account_and_to_users_without_one() {
    let body = json!({"payload": {"id": "1"}, "accountId": "acme"});
    assert_eq!(rooms("drift:created", body), ["drifts", "account:acme", "account:global"]);
    assert_eq!(rooms("drift:created", json!({"payload": {"id": "1"}})), ["drifts", "account:global"]);
    assert_eq!(rooms("drift:approved", json!({"payload": {"id": "1"}, "accountId": "a"})), ["drifts"]);
}

#[test]
fn an_event_of_a_user_goes_to_that_user_only() {
    let body = json!({"payload": {"userId": "u2"}, "userId": "u1"});
    assert_eq!(rooms("auth:user.login", body.clone()), ["user:u1"]);
    assert_eq!(rooms("dashboard:summaryUpdated", body), ["user:u1"]);
    assert!(rooms("dashboard:summaryUpdated", json!({"payload": {}})).is_empty());
}

#[test]
fn control_channels_name_their_target() {
    let body = json!({"payload": {}});
    assert_eq!(rooms("ws:user:u1", body.clone()), ["user:u1"]);
    assert_eq!(rooms("ws:session:s1", body.clone()), ["session:s1"]);
    assert_eq!(rooms("ws:room:drifts", body.clone()), ["drifts"]);
    assert_eq!(rooms("ws:all", body), ["all"]);
}

#[test]
fn dashboard_events_are_not_for_the_root_namespace() {
    let catalogue = built_in();
    let route = catalogue.route("dashboard:recentMocAdded").unwrap();
    assert_eq!((route.root, route.dashboard), (None, Some(Shape::Envelope)));
    assert!(catalogue.route("dashboard:unheardOf").is_none());
    assert!(catalogue.route("orders:created").is_none());
}

#[test]
fn fields_that_are_not_listed_are_taken_out() {
    let catalogue = built_in();
    let mut payload = json!({"userId": "u", "sessionId": "s", "token": "secret"});
    assert!(catalogue.route("auth:user.login").unwrap().prune(&mut payload));
    assert_eq!(payload, json!({"userId": "u", "sessionId": "s"}));
}

#[test]
fn a_payload_is_held_against_its_schema() {
    let catalogue = built_in();
    let route = catalogue.route("dashboard:error").unwrap();
    assert!(route.check(&json!({"code": "X", "message": "y"})).is_ok());
    assert!(route.check(&json!({"code": 1})).is_err());
}

#[test]
fn another_back_end_adds_its_channels_by_a_file() {
    let catalogue = extended(
        r#"
        subscribable = ["orders"]
        [[route]]
        channel = "orders:*"
        rooms = ["orders", "user:{buyerId}"]
        root = "payload"
        schema = { type = "object", required = ["id"] }
        "#,
    )
    .unwrap();
    assert!(catalogue.is_subscribable("orders"));
    let route = catalogue.route("orders:created").unwrap();
    let body = json!({"payload": {"id": 1, "buyerId": "b"}});
    assert_eq!(route.rooms("orders:created", &fields(&body)), ["orders", "user:b"]);
}

#[test]
fn a_catalogue_that_is_wrong_says_where() {
    let error = |text| extended(text).unwrap_err().to_string();
    assert!(error("[[route]]\nchannel = 1").contains("test.toml"));
    assert!(error("[[route]]\nchannel = \"a:*\"\nrooms = []").contains("\"a:*\": it names no room"));
    assert!(error("[[route]]\nchannel = \"*\"\nrooms = [\"r\"]").contains("one *"));
    assert!(error("[[route]]\nchannel = \"a\"\nrooms = [\"{x\"]").contains("blank"));
    assert!(
        error("[[route]]\nchannel = \"a\"\nrooms = [\"r\"]\nschema = { type = \"nope\" }").contains("schema")
    );
}

#[test]
fn a_catalogue_names_no_reserved_event_s58() {
    for channel in ["disconnect", "session.revoked", "session.*", "connect*", "resync", "ack"] {
        let error = extended(&format!("[[route]]\nchannel = \"{channel}\"\nrooms = [\"r\"]")).unwrap_err();
        assert!(error.to_string().contains("reserved event name"), "{channel}: {error}");
    }
    assert!(crate::protocol::socketio::RESERVED_EVENTS.into_iter().all(is_reserved));
}

#[test]
fn channels_to_subscribe_to_do_not_overlap() {
    let channels = built_in().channels();
    assert!(channels.contains(&"drift:*".to_owned()));
    assert!(!channels.contains(&"drift:created".to_owned()));
}

#[test]
fn the_table_of_the_documentation_is_the_catalogue() {
    let documentation = include_str!("../../../../docs/API.md");
    let catalogue = include_str!("builtin.toml").parse::<toml::Table>().unwrap();
    let rows = catalogue["route"].as_array().unwrap().iter().map(|route| {
        let rooms = route["rooms"].as_array().unwrap().iter().map(|room| room.as_str().unwrap());
        let rooms = rooms.collect::<Vec<_>>().join(", ").replace('|', " or ");
        let shape = |namespace| route.get(namespace).map_or("—", |shape| shape.as_str().unwrap());
        let channel = route["channel"].as_str().unwrap();
        format!("| `{channel}` | {rooms} | {} | {} |", shape("root"), shape("dashboard"))
    });
    let documented = documentation.lines().skip_while(|line| !line.starts_with("| channel | rooms"));
    let documented = documented.skip(2).take_while(|line| line.starts_with('|'));
    assert_eq!(documented.collect::<Vec<_>>(), rows.collect::<Vec<_>>());
}
