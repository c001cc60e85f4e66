//! `/api/realtime`: admins list, count and close sockets, over all replicas.

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::Envelope;
use http::openapi::Success;
use http::{Admin, ApiError, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::catalogue::is_reserved;
use crate::cluster::{Answers, Cluster, Question};
use crate::outbound::MAX_EVENT_BYTES;
use crate::own_sockets::{Part, SocketInfo};
use crate::transport::Worker;

#[derive(Serialize, ToSchema)]
pub(crate) struct Stats {
    connections: u64,
    users: usize,
    gateways: usize,
    /// Whether the counts are incomplete, because a gateway did not respond in time.
    partial: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Sockets {
    connections: Vec<SocketInfo>,
    partial: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EndedSockets)]
pub(crate) struct Terminated {
    terminated: u64,
    partial: bool,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emit {
    /// `user:<id>`, `session:<sid>`, `room:<room>` or `all`.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, pattern = "^(all$|user:|session:|room:)")]
    target: String,
    #[validate(length(min = 1, max = 100), custom(function = "not_reserved"))]
    #[schema(min_length = 1, max_length = 100)]
    r#type: String,
    payload: Value,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Emitted {
    event_id: Uuid,
}

/// Connections and users, over all gateways.
#[utoipa::path(get, path = "/api/realtime/stats", tag = "realtime", responses((status = 200, body = Success<Stats>)), security(("bearer" = ["admin"])))]
pub(crate) async fn get_stats(_: Admin, worker: Data<Worker>, _: NoQuery) -> Result<HttpResponse, ApiError> {
    let Answers { answers, partial, .. } = worker.services.cluster.ask::<Part>(Question::Stats).await;
    let gateways = answers.len();
    let connections = answers.iter().map(|part| part.connections).sum();
    let users = answers.into_iter().fold(Part::default().users, |mut all, part| {
        all.extend(part.users);
        all
    });
    Ok(http::ok(Stats { connections, users: users.len(), gateways, partial }))
}

/// The open sockets of a user.
#[utoipa::path(get, path = "/api/realtime/users/{id}/connections", tag = "realtime", params(("id" = String, Path)), responses((status = 200, body = Success<Sockets>)), security(("bearer" = ["admin"])))]
pub(crate) async fn list_user_connections(
    _: Admin,
    user: ValidPath<String>,
    worker: Data<Worker>,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let Answers { answers, partial, .. } =
        worker.services.cluster.ask::<Vec<SocketInfo>>(Question::Sockets { user: user.0 }).await;
    Ok(http::ok(Sockets { connections: answers.into_iter().flatten().collect(), partial }))
}

/// Closes one socket.
#[utoipa::path(delete, path = "/api/realtime/connections/{id}", tag = "realtime", params(("id" = String, Path)), responses((status = 200, body = Success<Terminated>)), security(("bearer" = ["admin"])))]
pub(crate) async fn end_connection(
    _: Admin,
    socket: ValidPath<String>,
    worker: Data<Worker>,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let ended = end(&worker.services.cluster, Question::EndSocket { socket: socket.0 }).await;
    if ended.terminated == 0 {
        return Err(ApiError::not_found("no such connection is open"));
    }
    Ok(http::ok(ended))
}

/// Closes all sockets of a user. The user's sessions stay valid.
#[utoipa::path(delete, path = "/api/realtime/users/{id}/connections", tag = "realtime", params(("id" = String, Path)), responses((status = 200, body = Success<Terminated>)), security(("bearer" = ["admin"])))]
pub(crate) async fn end_user_connections(
    _: Admin,
    user: ValidPath<String>,
    worker: Data<Worker>,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    Ok(http::ok(end(&worker.services.cluster, Question::EndUser { user: user.0 }).await))
}

/// Sends an event to a user, a session, a room or everybody.
#[utoipa::path(post, path = "/api/realtime/emit", tag = "realtime", request_body = Emit, responses((status = 200, body = Success<Emitted>)), security(("bearer" = ["admin"])))]
pub(crate) async fn emit(
    _: Admin,
    _: NoQuery,
    ValidJson(emit): ValidJson<Emit>,
    worker: Data<Worker>,
) -> Result<HttpResponse, ApiError> {
    if !is_target(&emit.target) {
        return Err(ApiError::validation("target", "must be user:<id>, session:<sid>, room:<room> or all"));
    }
    let envelope = Envelope {
        traceparent: backplane::current_trace(),
        ..Envelope::unplaced(emit.r#type, worker.services.clock.now(), emit.payload)
    };
    let body = serde_json::to_string(&envelope).map_err(ApiError::internal)?;
    if body.len() > MAX_EVENT_BYTES {
        let message = format!("the event is too large: it may have {MAX_EVENT_BYTES} bytes");
        return Err(ApiError::too_large(message));
    }
    let channel = format!("ws:{}", emit.target);
    let said = worker.services.recovery.backplane.log.broadcast(&channel, &body).await;
    said.map_err(|error| ApiError::unavailable("the gateways cannot be told now", 1).with_source(error))?;
    Ok(http::ok(Emitted { event_id: envelope.event_id }))
}

async fn end(cluster: &Cluster, question: Question) -> Terminated {
    let Answers { answers, partial, .. } = cluster.ask::<u64>(question).await;
    Terminated { terminated: answers.into_iter().sum(), partial }
}

fn is_target(target: &str) -> bool {
    match target.split_once(':') {
        Some(("user" | "session" | "room", id)) => !id.is_empty(),
        _ => target == "all",
    }
}

fn not_reserved(name: &str) -> Result<(), ValidationError> {
    if is_reserved(name) { Err(ValidationError::new("reserved")) } else { Ok(()) }
}
