use std::sync::Arc;

use backplane::Position;

use super::{Event, Hub, Membership};
use crate::connection::Connection;
use crate::outbound::Pushed;

/// What a socket that comes back is to be given before it hears anything new.
pub struct Replay {
    /// The last event that it gets from the log; what follows is held for it.
    pub position: Position,
    rooms: Vec<Arc<str>>,
    /// The rooms whose events it has been given already, and since when.
    heard: Vec<Membership>,
}

impl Replay {
    /// Whether an event was missed: it is for one of the rooms, and was not given since.
    pub fn wants(&self, event: &Event, seq: u64) -> bool {
        let is_for = |room: &Arc<str>| event.rooms.iter().any(|of| **of == **room);
        let was_given = self.heard.iter().any(|heard| seq > heard.since && is_for(&heard.room));
        !was_given && self.rooms.iter().any(is_for)
    }
}

impl Hub {
    /// Brings a socket's rooms back, and holds what comes for it until [`Hub::release`].
    pub fn begin_replay(&self, socket: &str, rooms: &[String]) -> Option<Replay> {
        let mut inner = self.lock();
        let key = *inner.by_id.get(socket)?;
        let position = inner.position.clone()?;
        let member = &mut inner.members[key];
        // What was held until now lies before the position: the log has it.
        let heard = match member.held.replace(Vec::new()) {
            Some(_) => Vec::new(),
            None => member.rooms.clone(),
        };
        for room in rooms {
            inner.enter(key, room);
        }
        let rooms = inner.members[key].rooms.iter().map(|own| Arc::clone(&own.room)).collect();
        Some(Replay { position, rooms, heard })
    }

    /// Gives a socket what was held for it; from here on it hears everything at once. A connection
    /// that cannot take it is given back, to be closed.
    pub fn release(&self, socket: &str) -> Option<Arc<Connection>> {
        let mut inner = self.lock();
        let key = *inner.by_id.get(socket)?;
        let member = &mut inner.members[key];
        for event in member.held.take()? {
            match member.give(&event) {
                Pushed::First => member.connection.outbound.wake(),
                Pushed::Full => return Some(Arc::clone(&member.connection)),
                Pushed::Queued | Pushed::Closed => {}
            }
        }
        None
    }
}
