//! docs/openapi.json combines the documents of all services.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod operations;

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::OpenApi;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "DriftSentry",
        description = "Infrastructure drift, decided by your team, live.\n\n\
            Responses are in an envelope: `{\"success\": true, \"data\": …}`, or `{\"success\": false, \"error\": …}` \
            with a `code` to act on and a `requestId` to find in the log. Get a token from `POST /api/auth/login`. \
            The paths of `/api/auth` are also under `/api/v1/auth`. Socket.IO at `/socket.io/`, the plain WebSocket \
            at `/ws` and the events are described in docs/API.md.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "The server that served this document")),
    tags(
        (name = "auth", description = "Users, sessions and tokens (auth-service)"),
        (name = "drifts", description = "Findings of scans, and decisions on them (drift-service)"),
        (name = "stacks", description = "What is known about each part of an infrastructure (drift-service)"),
        (name = "scans", description = "The uploads that arrived (drift-service)"),
        (name = "alerts", description = "Drifts that need attention (drift-service)"),
        (name = "views", description = "Saved views of the list of drifts (drift-service)"),
        (name = "metrics", description = "Counts of drifts (drift-service)"),
        (name = "audit", description = "Who did what (drift-service)"),
        (name = "notifications", description = "Messages to other systems and people (notify-service)"),
        (name = "realtime", description = "Open sockets, for admins (ws-gateway)"),
    )
)]
struct Whole;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "DriftSentry with COMPAT_ROUTES=true",
        description = "The REST contract of the replaced Node stack, for pages that were written for it.\n\n\
            A path that openapi.json has as well gets this contract, unless the request has the header \
            `X-API-Contract: current`. Unknown parameters and fields are ignored. `/api/v1/auth/login` and \
            `/api/v1/auth/refresh` have the current contract, except that they ignore unknown fields too. The paths \
            of `/api/v1/auth` are also under `/api/auth`. docs/COMPATIBILITY.md has the details.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "The server that served this document")),
    tags(
        (name = "auth", description = "Sessions (auth-service)"),
        (name = "users", description = "The caller's own account (auth-service)"),
        (name = "drifts", description = "Drifts, and decisions on them (drift-service)"),
        (name = "alerts", description = "Drifts that need attention (drift-service)"),
        (name = "views", description = "Saved views of the list of drifts (drift-service)"),
        (name = "metrics", description = "Counts of drifts (drift-service)"),
    )
)]
struct Old;

/// The document of the current contract.
fn document() -> utoipa::openapi::OpenApi {
    combined(
        Whole::openapi(),
        [auth_service::openapi(), drift_service::openapi(), notify_service::openapi(), ws_gateway::openapi()],
    )
}

/// The document of the old contract.
fn old_document() -> utoipa::openapi::OpenApi {
    combined(Old::openapi(), [auth_service::compat::openapi(), drift_service::compat::openapi()])
}

/// Combines the documents of services. A name with two meanings would overwrite one of them.
fn combined(
    mut whole: utoipa::openapi::OpenApi,
    services: impl IntoIterator<Item = utoipa::openapi::OpenApi>,
) -> utoipa::openapi::OpenApi {
    for service in services {
        whole.paths.paths.extend(service.paths.paths);
        let (into, from) = (whole.components.get_or_insert_default(), service.components.unwrap());
        add(&mut into.schemas, from.schemas);
        add(&mut into.responses, from.responses);
        add(&mut into.security_schemes, from.security_schemes);
    }
    whole
}

fn add<T: PartialEq>(into: &mut BTreeMap<String, T>, from: BTreeMap<String, T>) {
    for (name, item) in from {
        let is_other = into.get(&name).is_some_and(|known| *known != item);
        assert!(!is_other, "{name} has two meanings");
        into.insert(name, item);
    }
}

#[test]
fn the_documents_are_up_to_date() {
    for (name, document) in [("openapi.json", document()), ("openapi-compat.json", old_document())] {
        let (file, text) = (format!("{FOLDER}/{name}"), document.to_pretty_json().unwrap() + "\n");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&file).unwrap();
        assert!(
            stored == text,
            "docs/{name} is outdated: run UPDATE_OPENAPI=1 cargo test -p driftsentry --test api_docs"
        );
    }
}

#[test]
fn every_operation_has_a_name_a_purpose_a_tag_and_the_envelope_of_errors() {
    for document in [document(), old_document()] {
        check_operations(&serde_json::to_value(document).unwrap());
    }
}

fn check_operations(document: &Value) {
    let tags = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect::<Vec<_>>();
    let mut names = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let at = format!("{method} {path}");
            names.push(operation["operationId"].as_str().unwrap());
            assert!(operation["summary"].is_string(), "{at}");
            assert!(tags.contains(&&operation["tags"][0]), "{at}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let Some(reference) = response["$ref"].as_str() else {
                    assert!(status.starts_with('2'), "{at} {status}");
                    continue;
                };
                let response = document.pointer(reference.trim_start_matches('#')).unwrap();
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(*schema, "#/components/schemas/Failure", "{at} {status}");
            }
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two operations have one name");
}

#[test]
fn every_reference_resolves() {
    for document in [document(), old_document()] {
        check_references(&serde_json::to_value(document).unwrap());
    }
}

fn check_references(document: &Value) {
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
}
