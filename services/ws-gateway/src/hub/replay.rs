use std::sync::Arc;

use backplane::Position;

use super::member::Hears;
use super::{Event, Hub, Membership};
use crate::outbound::Pushed;

/// The events of the log that a socket is still to be given before it hears everything at once.
pub struct Replay {
    /// The last one, as far as the hub knows.
    pub until: Position,
    rooms: Vec<Arc<str>>,
    /// The rooms whose events the socket has been given already, since when, and up to where.
    heard: Vec<Membership>,
    heard_until: u64,
}

impl Replay {
    /// Whether the socket missed an event: it is for one of the rooms, and was not given since.
    pub fn wants(&self, event: &Event) -> bool {
        let seq = event.position.as_ref().map_or(0, |position| position.seq);
        let is_for = |room: &Arc<str>| event.rooms.iter().any(|of| **of == **room);
        let was_given = seq <= self.heard_until
            && self.heard.iter().any(|heard| seq > heard.since && is_for(&heard.room));
        !was_given && self.rooms.iter().any(is_for)
    }
}

impl Hub {
    /// Brings a socket's rooms back. From here on it is given no event of the log at once, until
    /// [`Hub::go_on`] says that it has caught up.
    pub fn begin_replay(&self, socket: &str, rooms: &[String]) -> Option<Replay> {
        let mut inner = self.lock();
        let key = *inner.by_id.get(socket)?;
        let until = inner.position.clone()?;
        let member = &mut inner.members[key];
        let heard = match member.hears {
            Hears::Everything => member.rooms.clone(),
            Hears::Unlogged | Hears::Nothing(_) => Vec::new(),
        };
        if matches!(member.hears, Hears::Everything) {
            member.hears = Hears::Unlogged;
        }
        for room in rooms {
            inner.enter(key, room);
        }
        let rooms = inner.members[key].rooms.iter().map(|own| Arc::clone(&own.room)).collect();
        let heard_until = until.seq;
        Some(Replay { until, rooms, heard, heard_until })
    }

    /// Lets a socket hear everything at once, if it has been given every event up to the newest one.
    /// Otherwise the replay, if there is one, goes on to there. True as well if the socket has closed.
    pub fn go_on(&self, socket: &str, at: &Position, replay: Option<&mut Replay>) -> bool {
        let mut inner = self.lock();
        let (Some(&key), Some(until)) = (inner.by_id.get(socket), inner.position.clone()) else {
            return true;
        };
        let member = &mut inner.members[key];
        if until == *at {
            member.hears = Hears::Everything;
            return true;
        }
        if let Some(replay) = replay {
            replay.until = until;
            // Its account may have changed meanwhile.
            replay.rooms = member.rooms.iter().map(|own| Arc::clone(&own.room)).collect();
        }
        false
    }

    /// Lets a socket hear everything from now on, without the events it missed.
    pub fn give_up_replay(&self, socket: &str) {
        self.with_member(socket, |member| member.hears = Hears::Everything);
    }

    /// Opens a socket that heard nothing: events that are not in the log are given to it at once. Returns
    /// how many of them were lost.
    pub fn open_socket(&self, socket: &str) -> u64 {
        let opened = self.with_member(socket, |member| {
            let Hears::Nothing(waiting) = std::mem::replace(&mut member.hears, Hears::Unlogged) else {
                return 0;
            };
            for event in &waiting.events {
                if member.give(event) == Some(Pushed::First) {
                    member.connection.outbound.wake();
                }
            }
            waiting.lost
        });
        opened.unwrap_or(0)
    }
}
