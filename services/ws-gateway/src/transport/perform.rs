use std::sync::{Arc, Weak};

use super::close::{close, leave};
use super::connection::Connection;
use crate::client::{Effect, Effects};
use crate::hub::Subscriber;
use crate::outbound::Pushed;
use crate::protocol::{Ending, Frame};

/// Executes effects of which none needs waiting: those of a socket that enters or leaves, and of a close.
pub(super) fn perform(connection: &Arc<Connection>, effects: Effects) {
    for effect in effects {
        let left = perform_one(connection, effect);
        debug_assert!(left.is_none(), "{left:?} needs waiting");
    }
}

/// Queues a frame that the client waits for, or that nothing else tells it. If there is no room for the frame, closes the
/// connection, so that the client resumes.
pub(super) fn respond(connection: &Arc<Connection>, frame: Frame) {
    if connection.outbound.push_response(frame) == Pushed::Full {
        Arc::clone(connection).close(Ending::Slow);
    }
}

/// Executes an effect that needs no waiting, or returns it.
pub(super) fn perform_one(connection: &Arc<Connection>, effect: Effect) -> Option<Effect> {
    match effect {
        Effect::Send(frame) => respond(connection, frame),
        Effect::Upgrade(_) => {
            connection.queue(&effect);
        }
        Effect::Arm(at) => {
            let subscriber: Weak<dyn Subscriber> = Arc::<Connection>::downgrade(connection);
            connection.services.hub.arm(subscriber, at);
        }
        Effect::Leave(departure) => {
            leave(connection, &departure).into_iter().for_each(|frame| respond(connection, frame));
        }
        Effect::Close(closing) => close(connection, closing),
        Effect::Admit(_) | Effect::Join(_) | Effect::LeaveRoom(_) | Effect::Resume(_) => return Some(effect),
    }
    None
}
