use std::sync::{Arc, Weak};

use super::close::{close, leave};
use super::connection::Connection;
use crate::client::{Effect, Effects};
use crate::hub::Subscriber;

/// Executes the effects that need no waiting. Returns the others.
pub fn perform(connection: &Arc<Connection>, effects: Effects) -> Effects {
    effects.into_iter().filter_map(|effect| perform_one(connection, effect)).collect()
}

/// Executes an effect that needs no waiting, or returns it.
pub fn perform_one(connection: &Arc<Connection>, effect: Effect) -> Option<Effect> {
    match effect {
        Effect::Send(_) | Effect::Upgrade(_) => {
            connection.queue(&effect);
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
