use std::sync::Arc;

use uuid::Uuid;

use super::connection::Connection;
use super::perform::respond;
use crate::client::StepUpAttempt;
use crate::hub::Member;
use crate::protocol::{ClientError, Frame};

/// Asks auth-service to raise the strength of the socket's session. A task acknowledges the response, so that other
/// messages of the connection do not wait for it. Returns the acknowledgement of a step-up that cannot begin.
pub(super) fn begin_step_up(connection: &Arc<Connection>, attempt: StepUpAttempt) -> Option<Frame> {
    let services = &connection.services;
    let StepUpAttempt { socket, proof, reply } = attempt;
    let owner = services.hub.with_member(&socket, |member| session_of(member));
    let begun = owner.ok_or(ClientError::AuthFailed).and_then(|session| {
        let ((user_id, session_id), ip) = (session.ok_or(ClientError::NoSession)?, connection.peer.ip);
        services.step_ups.begin(&connection.id, user_id, session_id, ip, proof)
    });
    let pending = match begun {
        Ok(pending) => pending,
        Err(error) => return reply.frame(Err(error)),
    };
    let waiting = Arc::downgrade(connection);
    services.tasks.run("step-up", async move {
        let result = pending.result().await;
        let Some(connection) = waiting.upgrade() else { return };
        let is_in = connection.services.hub.with_member(&socket, |_| ()).is_some();
        if let Some(frame) = reply.frame(result).filter(|_| is_in) {
            respond(&connection, frame);
        }
    });
    None
}

/// Returns the user and the session of a person's socket.
fn session_of(member: &Member) -> Option<(Uuid, Uuid)> {
    Some((member.owner.user_id.parse().ok()?, member.owner.sid?))
}
