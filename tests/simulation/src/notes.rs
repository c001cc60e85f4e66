//! Messages without a place in the log, as another back end publishes them: which gateway heard them, and which of them
//! its clients missed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

/// The channels of the notes, before the id of the user.
const CHANNEL: &str = "ws:user:";
/// The name of the event.
pub(crate) const NAME: &str = "note";

/// The channel of the notes to a user.
pub(crate) fn channel(user: Uuid) -> String {
    format!("{CHANNEL}{user}")
}

/// The text of a note. `claim` is more of the envelope.
pub(crate) fn body(number: u64, claim: &str) -> String {
    let id = Uuid::new_v4();
    format!(
        r#"{{"eventId":"{id}","type":"{NAME}","timestamp":"2026-01-01T00:00:00Z","payload":{{"number":{number}}}{claim}}}"#
    )
}

/// The notes of a run. Each has a number.
#[derive(Default)]
pub(crate) struct Notes {
    sent: u64,
    /// The notes to each user that a gateway received from Redis, by the number of the gateway's start.
    heard: BTreeMap<(u64, Uuid), Vec<u64>>,
    /// The notes that a client of a gateway did not get although it was connected.
    missed: BTreeMap<u64, BTreeSet<u64>>,
}

/// The notes that a client got on one connection.
pub(crate) struct Live {
    gateway: u64,
    user: Uuid,
    /// The number of notes that the gateway had received when it let the client in.
    from: usize,
    /// The indexes of the notes that the client got, in their order.
    seen: Vec<usize>,
    /// The number of these, and of the notes that the gateway had received, when the client was last told to load
    /// everything.
    told_after: Option<(usize, usize)>,
}

impl Notes {
    /// The number of the next note.
    pub(crate) fn next(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }

    /// Notes that a gateway has received a message from Redis.
    pub(crate) fn hear(&mut self, gateway: u64, channel: &str, body: &str) {
        let user = channel.strip_prefix(CHANNEL).and_then(|user| user.parse().ok());
        let message = user.and_then(|user| Some((user, serde_json::from_str::<Value>(body).ok()?)));
        if let Some((user, number)) =
            message.and_then(|(user, message)| Some((user, number(&message["payload"])?)))
        {
            self.heard.entry((gateway, user)).or_default().push(number);
        }
    }

    fn heard(&self, gateway: u64, user: Uuid) -> &[u64] {
        self.heard.get(&(gateway, user)).map_or(&[], Vec::as_slice)
    }

    /// The number of different notes that clients of a gateway missed.
    pub(crate) fn missed(&self, gateway: u64) -> usize {
        self.missed.get(&gateway).map_or(0, BTreeSet::len)
    }
}

impl Live {
    /// Begins with the next note that the gateway receives.
    pub(crate) fn begin(notes: &Notes, gateway: u64, user: Uuid) -> Self {
        Self { gateway, user, from: notes.heard(gateway, user).len(), seen: Vec::new(), told_after: None }
    }

    /// Takes a note.
    pub(crate) fn show(&mut self, notes: &Notes, payload: &Value) -> Result<(), String> {
        let heard = notes.heard(self.gateway, self.user);
        let index = number(payload).and_then(|number| heard.iter().position(|heard| *heard == number));
        let Some(index) = index else { return Err(format!("the note {payload} was for somebody else")) };
        if self.seen.last().is_some_and(|last| *last >= index) {
            return Err(format!("the note {payload} came twice, or after a later one"));
        }
        if index >= self.from {
            self.seen.push(index);
        }
        Ok(())
    }

    /// The client is told to load everything, because it may have missed notes.
    pub(crate) fn load(&mut self, notes: &Notes) {
        self.told_after = Some((self.seen.len(), notes.heard(self.gateway, self.user).len()));
    }

    /// Notes which notes the client missed: those before one that it got, because notes come in order.
    /// `is_at_rest`: no more notes are on their way, so that the client missed all others.
    pub(crate) fn account(&self, notes: &mut Notes, is_at_rest: bool) {
        let heard = notes.heard(self.gateway, self.user);
        let end = if is_at_rest { heard.len() } else { self.seen.last().copied().unwrap_or(0) };
        let missed: Vec<_> = self.missing(end).map(|index| heard[index]).collect();
        notes.missed.entry(self.gateway).or_default().extend(missed);
    }

    /// The first note that the client missed without being told, once no more are on their way.
    pub(crate) fn untold(&self, notes: &Notes) -> Option<u64> {
        let heard = notes.heard(self.gateway, self.user);
        let is_told = |index: &usize| {
            let before = self.seen.partition_point(|seen| seen < index);
            self.told_after.is_some_and(|(seen, heard)| before <= seen && *index < heard)
        };
        self.missing(heard.len()).find(|index| !is_told(index)).map(|index| heard[index])
    }

    fn missing(&self, end: usize) -> impl Iterator<Item = usize> {
        (self.from..end).filter(|index| self.seen.binary_search(index).is_err())
    }
}

fn number(payload: &Value) -> Option<u64> {
    payload.get("number").and_then(Value::as_u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missed_note_is_accounted_for_by_a_later_load() {
        let (mut notes, user) = (Notes::default(), Uuid::nil());
        let hear = |notes: &mut Notes, number| notes.hear(1, &channel(user), &body(number, ""));
        hear(&mut notes, 1);
        let mut live = Live::begin(&notes, 1, user);
        (2..=5).for_each(|number| hear(&mut notes, number));
        let note = |number: u64| json!({ "number": number });
        live.show(&notes, &note(1)).unwrap();
        live.show(&notes, &note(3)).unwrap();
        assert_eq!(live.untold(&notes), Some(2));
        live.load(&notes);
        assert_eq!(live.untold(&notes), None);
        hear(&mut notes, 6);
        assert_eq!(live.untold(&notes), Some(6), "the client was told before");
        live.show(&notes, &note(4)).unwrap();
        assert_eq!(live.untold(&notes), Some(5), "the client was told before a note that came before it");
        live.account(&mut notes, false);
        assert_eq!(notes.missed(1), 1);
        live.account(&mut notes, true);
        assert_eq!(notes.missed(1), 3);
        live.show(&notes, &note(4)).unwrap_err();
        live.show(&notes, &note(7)).unwrap_err();
    }
}
