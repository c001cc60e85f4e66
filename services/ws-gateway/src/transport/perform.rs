use std::sync::{Arc, Weak};

use super::close::{close, leave};
use super::connection::Connection;
use crate::client::{Effect, Effects};
use crate::hub::Subscriber;
use crate::protocol::Ending;

/// Executes effects of which none needs waiting: those of a socket that enters or leaves, and of a close.
pub(super) fn perform(connection: &Arc<Connection>, effects: Effects) {
    for effect in effects {
        let left = perform_one(connection, effect);
        debug_assert!(left.is_none(), "{left:?} needs waiting");
    }
}

/// Executes an effect that needs no waiting, or returns it.
pub(super) fn perform_one(connection: &Arc<Connection>, effect: Effect) -> Option<Effect> {
    match effect {
        Effect::Send(_) | Effect::Upgrade(_) => {
            // A client that does not get a response would wait for it without end.
            if !connection.queue(&effect) {
                Arc::clone(connection).close(Ending::Slow);
            }
        }
        Effect::Arm(at) => {
            let subscriber: Weak<dyn Subscriber> = Arc::<Connection>::downgrade(connection);
            connection.services.hub.arm(subscriber, at);
        }
        Effect::Leave(departure) => leave(connection, &departure),
        Effect::Close(closing) => close(connection, closing),
        Effect::Admit(_) | Effect::Join(_) | Effect::LeaveRoom(_) | Effect::Resume(_) => return Some(effect),
    }
    None
}
