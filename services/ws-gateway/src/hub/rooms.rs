use std::collections::HashMap;
use std::sync::Arc;

/// Who is in which room. A room exists while somebody is in it.
#[derive(Default)]
pub struct Rooms {
    by_name: HashMap<Arc<str>, Vec<usize>>,
}

impl Rooms {
    pub fn members(&self, room: &str) -> &[usize] {
        self.by_name.get(room).map_or(&[], Vec::as_slice)
    }

    /// Lets one in who is not in it yet; the name is shared by all who are.
    pub fn enter(&mut self, room: &str, key: usize) -> Arc<str> {
        if let Some((name, _)) = self.by_name.get_key_value(room) {
            let name = Arc::clone(name);
            self.by_name.entry(Arc::clone(&name)).or_default().push(key);
            return name;
        }
        let name: Arc<str> = room.into();
        self.by_name.insert(Arc::clone(&name), vec![key]);
        name
    }

    pub fn leave(&mut self, room: &str, key: usize) {
        let Some(members) = self.by_name.get_mut(room) else { return };
        if let Some(index) = members.iter().position(|member| *member == key) {
            members.swap_remove(index);
        }
        if members.is_empty() {
            self.by_name.remove(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_goes_with_its_last_member() {
        let mut rooms = Rooms::default();
        let name = rooms.enter("drifts", 1);
        assert!(Arc::ptr_eq(&name, &rooms.enter("drifts", 2)));
        rooms.leave("drifts", 1);
        assert_eq!(rooms.members("drifts"), [2]);
        rooms.leave("drifts", 2);
        assert!(rooms.by_name.is_empty());
    }
}
