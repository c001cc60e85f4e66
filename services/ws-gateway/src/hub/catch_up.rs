use std::sync::Arc;

use backplane::Position;
use tokio::time::Instant;

use super::member::{Heard, Hears, Membership, Past};
use super::members::Hub;
use crate::catalogue::Event;
use crate::outbound::Pushed;
use crate::protocol::Frame;

/// The events of the log that a socket has to receive before live delivery starts.
pub(crate) struct CatchUp {
    /// The last event to deliver, as far as the hub knows.
    pub until: Position,
    /// The rooms of the socket.
    rooms: Vec<Membership>,
    /// The rooms in which the client already was before this socket entered. In all others, the socket missed only
    /// what came after it entered the room.
    former: Vec<Arc<str>>,
    /// The rooms whose events the socket received live, also those that it has left.
    heard: Vec<Heard>,
}

impl CatchUp {
    /// Whether the socket missed the event: the event is for one of the rooms, and was not delivered.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let seq = event.position.as_ref().map_or(0, |position| position.seq);
        let is_for = |room: &str| event.rooms.iter().any(|of| **of == *room);
        let was_given = |heard: &Heard| heard.since < seq && seq <= heard.until && is_for(&heard.room);
        let was_in = |own: &Membership| seq > own.since || self.former.contains(&own.room);
        !self.heard.iter().any(was_given) && self.rooms.iter().any(|own| is_for(&own.room) && was_in(own))
    }
}

impl Hub {
    /// Holds live events of the log back until [`Hub::go_live`]. If the client resumes, puts the socket into the rooms
    /// to which the client was subscribed. Returns `None` if the socket has closed, or if it is not known what it has
    /// received.
    pub(crate) fn begin_catch_up(&self, socket: &str, resumed: Option<&[String]>) -> Option<CatchUp> {
        let mut inner = self.lock();
        let key = *inner.by_entrance.get(socket)?;
        let until = inner.position.clone()?;
        let member = &mut inner.members[key];
        let heard_until = match &member.hears {
            Hears::Everything => Some(until.seq),
            Hears::Behind(at) if at.epoch == until.epoch => Some(at.seq),
            Hears::Behind(_) | Hears::Unlogged | Hears::Nothing(_) => None,
        };
        let mut heard: Vec<Heard> = match heard_until {
            Some(until) => member.rooms.iter().map(|own| own.heard(until)).collect(),
            None => Vec::new(),
        };
        match &member.past {
            Past::None => {}
            Past::Rooms(rooms) => heard.extend(rooms.iter().cloned()),
            Past::Unknown if resumed.is_some() => return None,
            Past::Unknown => {}
        }
        member.catches_up = true;
        if !matches!(member.hears, Hears::Nothing(_)) {
            member.hears = Hears::Unlogged;
        }
        let own_rooms = if resumed.is_some() { member.owner.rooms() } else { Vec::new() };
        let resumed = resumed.unwrap_or_default();
        for room in resumed {
            inner.enter(key, room);
        }
        let rooms = inner.members[key].rooms.clone();
        let former = own_rooms.iter().chain(resumed).map(|room| room.as_str().into()).collect();
        Some(CatchUp { until, rooms, former, heard })
    }

    /// Starts live delivery if the socket has received every event up to the newest one. Otherwise extends the
    /// catch-up to the newest event. Returns true also if the socket has closed.
    pub(crate) fn go_live(&self, socket: &str, at: &Position, catch_up: Option<&mut CatchUp>) -> bool {
        let mut inner = self.lock();
        let (Some(&key), Some(until)) = (inner.by_entrance.get(socket), inner.position.clone()) else {
            return true;
        };
        let member = &mut inner.members[key];
        if until == *at {
            (member.hears, member.catches_up) = (Hears::Everything, false);
            return true;
        }
        if let Some(catch_up) = catch_up {
            catch_up.until = until;
            // The account of the user may have changed meanwhile.
            catch_up.rooms.clone_from(&member.rooms);
        }
        false
    }

    /// Starts live delivery without the events that the socket missed.
    pub(crate) fn give_up_catch_up(&self, socket: &str) {
        self.with_member(socket, |member| {
            (member.hears, member.catches_up) = (Hears::Everything, false);
        });
    }

    /// Opens a socket that received nothing so far: after `first`, events that are not in the log are delivered live.
    /// Returns whether `first` is queued, and the number of events that were lost.
    pub(crate) fn open_socket(&self, socket: &str, first: Frame) -> Option<(Pushed, u64)> {
        self.with_member(socket, |member| {
            let pushed = member.subscriber.outbound().push(first);
            let Hears::Nothing(mut waiting) = std::mem::replace(&mut member.hears, Hears::Unlogged) else {
                return (pushed, 0);
            };
            let now = Instant::now();
            for event in &waiting.events {
                match member.deliver(event, now) {
                    Some(Pushed::First) => member.subscriber.outbound().wake(),
                    Some(Pushed::Full) => waiting.lost += 1,
                    _ => {}
                }
            }
            (pushed, waiting.lost)
        })
    }
}
