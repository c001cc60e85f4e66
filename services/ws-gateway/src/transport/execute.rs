use std::sync::Arc;

use smallvec::smallvec;

use super::admit::admit_socket;
use super::connection::Connection;
use super::messages::admit_message;
use super::perform::perform_one;
use super::recover::resume_plain_client;
use super::replay::go_live;
use super::requests::{join_room, leave_room, replace_token};
use crate::client::{Candidate, Effect, Effects, Resumption};
use crate::protocol::Frame;

/// Executes effects in order, each with the effects that follow from it. Waits for all of them.
pub(super) async fn execute(connection: &Arc<Connection>, mut effects: Effects) {
    effects.reverse();
    while let Some(effect) = effects.pop() {
        if let Some(effect) = perform_one(connection, effect) {
            let following = wait_for(connection, effect).await;
            effects.extend(following.into_iter().rev());
        }
    }
}

/// Executes effects without waiting: a task does the rest.
pub(super) fn execute_now(connection: &Arc<Connection>, effects: Effects) {
    for effect in effects {
        let Some(effect) = perform_one(connection, effect) else { continue };
        let executing = Arc::clone(connection);
        let work = async move { execute(&executing, smallvec![effect]).await };
        connection.services.tasks.run("effects", work);
    }
}

async fn wait_for(connection: &Arc<Connection>, effect: Effect) -> Effects {
    match effect {
        Effect::Admit(candidate) => match *candidate {
            Candidate::Socket { kind, credentials, is_repeated, reply } => {
                admit_socket(connection, kind, &credentials, is_repeated, &reply).await
            }
            Candidate::Message(request) => admit_message(connection, request).await,
            Candidate::Token { socket, token, reply } => {
                send(reply.frame(replace_token(connection, &socket, &token).await))
            }
        },
        Effect::Join(request) => send(join_room(connection, &request).await),
        Effect::LeaveRoom(request) => send(leave_room(connection, &request).await),
        Effect::Resume(resumption) => match *resumption {
            Resumption::Live { kind, socket, from } => {
                go_live(connection, kind, &socket, from).await;
                Effects::new()
            }
            Resumption::Missed { socket, from, reply } => {
                send(resume_plain_client(connection, &socket, from, &reply).await)
            }
        },
        Effect::Send(_) | Effect::Upgrade(_) | Effect::Arm(_) | Effect::Leave(_) | Effect::Close(_) => {
            Effects::new()
        }
    }
}

fn send(reply: Option<Frame>) -> Effects {
    reply.map(Effect::Send).into_iter().collect()
}
