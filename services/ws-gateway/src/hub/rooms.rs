use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

/// The members of each room. A room exists while it has a member.
#[derive(Default)]
pub(super) struct Rooms {
    /// Most rooms are those of one user or one session.
    by_name: HashMap<Arc<str>, SmallVec<[usize; 2]>>,
}

impl Rooms {
    pub(super) fn members(&self, room: &str) -> &[usize] {
        self.by_name.get(room).map_or(&[], SmallVec::as_slice)
    }

    /// Adds a member that is not in the room yet. Returns the name, which all members share, and the slot.
    pub(super) fn enter(&mut self, room: &str, key: usize) -> (Arc<str>, usize) {
        let name = match self.by_name.get_key_value(room) {
            Some((name, _)) => Arc::clone(name),
            None => room.into(),
        };
        let members = self.by_name.entry(Arc::clone(&name)).or_default();
        members.push(key);
        (name, members.len() - 1)
    }

    /// Removes the member in a slot. Returns the member that has moved into the slot instead: a large room is
    /// not searched when one of its members leaves.
    pub(super) fn leave(&mut self, room: &str, slot: usize) -> Option<usize> {
        let members = self.by_name.get_mut(room)?;
        members.swap_remove(slot);
        let moved = members.get(slot).copied();
        if members.is_empty() {
            self.by_name.remove(room);
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_goes_with_its_last_member() {
        let mut rooms = Rooms::default();
        let (name, first) = rooms.enter("drifts", 1);
        let (same, second) = rooms.enter("drifts", 2);
        assert!(Arc::ptr_eq(&name, &same));
        assert_eq!(rooms.leave("drifts", first), Some(2));
        assert_eq!(rooms.members("drifts"), [2]);
        assert_eq!((second, rooms.leave("drifts", first)), (1, None));
        assert!(rooms.by_name.is_empty());
    }
}
