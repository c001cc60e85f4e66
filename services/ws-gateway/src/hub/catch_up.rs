use std::sync::Arc;

use backplane::Position;

use super::member::{Hears, Membership};
use super::members::Hub;
use crate::catalogue::Event;
use crate::outbound::Pushed;

/// The events of the log that a socket has to receive before live delivery starts.
pub struct CatchUp {
    /// The last event to deliver, as far as the hub knows.
    pub until: Position,
    rooms: Vec<Arc<str>>,
    /// The rooms whose events the socket received live: from the entry into the room up to `heard_until`.
    heard: Vec<Membership>,
    heard_until: u64,
}

impl CatchUp {
    /// Whether the socket missed the event: the event is for one of the rooms, and was not delivered.
    pub fn wants(&self, event: &Event) -> bool {
        let seq = event.position.as_ref().map_or(0, |position| position.seq);
        let is_for = |room: &Arc<str>| event.rooms.iter().any(|of| **of == **room);
        let was_given = seq <= self.heard_until
            && self.heard.iter().any(|heard| seq > heard.since && is_for(&heard.room));
        !was_given && self.rooms.iter().any(is_for)
    }
}

impl Hub {
    /// Puts a socket back into its rooms, and holds live events of the log back until [`Hub::go_live`].
    pub fn begin_catch_up(&self, socket: &str, rooms: &[String]) -> Option<CatchUp> {
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
        Some(CatchUp { until, rooms, heard, heard_until })
    }

    /// Starts live delivery if the socket has received every event up to the newest one. Otherwise extends the
    /// catch-up to the newest event. Returns true also if the socket has closed.
    pub fn go_live(&self, socket: &str, at: &Position, catch_up: Option<&mut CatchUp>) -> bool {
        let mut inner = self.lock();
        let (Some(&key), Some(until)) = (inner.by_id.get(socket), inner.position.clone()) else {
            return true;
        };
        let member = &mut inner.members[key];
        if until == *at {
            member.hears = Hears::Everything;
            return true;
        }
        if let Some(catch_up) = catch_up {
            catch_up.until = until;
            // The account of the user may have changed meanwhile.
            catch_up.rooms = member.rooms.iter().map(|own| Arc::clone(&own.room)).collect();
        }
        false
    }

    /// Starts live delivery without the events that the socket missed.
    pub fn give_up_catch_up(&self, socket: &str) {
        self.with_member(socket, |member| member.hears = Hears::Everything);
    }

    /// Opens a socket that received nothing so far: events that are not in the log are delivered live. Returns
    /// the number of those that were lost.
    pub fn open_socket(&self, socket: &str) -> u64 {
        let opened = self.with_member(socket, |member| {
            let Hears::Nothing(mut waiting) = std::mem::replace(&mut member.hears, Hears::Unlogged) else {
                return 0;
            };
            for event in &waiting.events {
                match member.deliver(event) {
                    Some(Pushed::First) => member.subscriber.outbound().wake(),
                    Some(Pushed::Full) => waiting.lost += 1,
                    _ => {}
                }
            }
            waiting.lost
        });
        opened.unwrap_or(0)
    }
}
