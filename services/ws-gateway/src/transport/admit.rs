use std::sync::Arc;

use contracts::Claims;
use serde_json::Value;
use tokio::time::Instant;

use super::connection::Connection;
use super::enter::{Entrance, NotEntered, authorized, enter};
use super::messages::wait_for_turn;
use super::recover::recover_stock_client;
use super::replay::keep;
use crate::client::{Credentials, Effect, Effects, Reply};
use crate::hub::{Hears, Subscriber};
use crate::outbound::Pushed;
use crate::protocol::{Ending, Frame, NamespaceKind, Refusal, RefusalCode, socketio};
use crate::random_id::random_id;
use crate::recovery::private_id;

/// Lets a socket in by its token, or refuses it.
pub(super) async fn admit_socket(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    credentials: &Credentials,
    is_repeated: bool,
    reply: &Reply,
) -> Effects {
    let services = &connection.services;
    let transport = match kind {
        NamespaceKind::Plain => "plain",
        _ if connection.is_polling() => "polling",
        _ => "websocket",
    };
    match authorize_and_enter(connection, kind, credentials, is_repeated).await {
        Ok(()) => {
            services.metrics.connected(transport, "ok");
            reply.frame(Ok(Value::Null)).map(Effect::Send).into_iter().collect()
        }
        Err(NotEntered::Refused(refusal)) => {
            services.metrics.connected(transport, refusal.code.into_str());
            let refusal = if services.has_old_words { refusal.in_old_words() } else { refusal };
            connection.update(|client| client.on_refused(Instant::now(), kind, &refusal))
        }
        Err(NotEntered::Unavailable) => {
            services.metrics.connected(transport, "unavailable");
            connection.update(|client| client.close(Instant::now(), Ending::Unavailable))
        }
        Err(NotEntered::Ended) => Effects::new(),
    }
}

async fn authorize_and_enter(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    credentials: &Credentials,
    is_repeated: bool,
) -> Result<(), NotEntered> {
    let token = match credentials {
        Credentials::Packet(auth) => connection.peer.token(auth),
        Credentials::Token(token) => Some(token.as_str()).filter(|token| !token.is_empty()),
    };
    let claims = connection.services.admission.authorize(&connection.peer, token).await;
    let claims = claims.map_err(NotEntered::Refused)?;
    if is_repeated && wait_for_turn(connection, &claims.user_id, |_| {}).await.is_err() {
        return Err(NotEntered::Refused(Refusal::new(RefusalCode::RateLimited, "too many joins")));
    }
    if let Credentials::Packet(auth) = credentials
        && recover_stock_client(connection, kind, &claims, auth).await?
    {
        return Ok(());
    }
    begin(connection, kind, &claims).await
}

/// Lets a client in without resuming: a new one, or one whose resumption failed.
async fn begin(connection: &Arc<Connection>, kind: NamespaceKind, claims: &Claims) -> Result<(), NotEntered> {
    let (socket, recovery) = (random_id(), &connection.services.recovery);
    let hears = match kind {
        // Live events of the log wait for a moment, because the client may still resume.
        NamespaceKind::Plain if recovery.is_on() => Hears::Unlogged,
        _ => Hears::Everything,
    };
    let entrance = Entrance { kind, claims, socket: Arc::clone(&socket), hears, kept: None };
    let mut is_full = false;
    enter(connection, entrance, |position, member| {
        let mut push = |frame| is_full |= connection.outbound.push(frame) == Pushed::Full;
        if let Some(namespace) = kind.namespace() {
            let private_id = recovery.is_on().then(|| private_id(&socket, &member.secret));
            let connect = socketio::connect(namespace, &socket, private_id.as_deref());
            push(Frame::text(connect));
        }
        push(authorized(connection, kind, claims, &socket, position));
    })
    .await?;
    if is_full {
        // The client would not learn that it is in.
        Arc::clone(connection).close(Ending::Slow);
        return Err(NotEntered::Ended);
    }
    keep(connection, &socket);
    Ok(())
}
