//! The rooms that a socket is in without asking.

use contracts::Claims;
use uuid::Uuid;

/// The rooms of a new socket: everybody, its user, its account and its session.
pub fn own_rooms(claims: &Claims) -> Vec<String> {
    let account = account_room(claims.account_id.as_deref());
    let mut rooms = vec!["all".into(), user_room(&claims.user_id), account];
    rooms.extend(claims.sid.map(session_room));
    rooms
}

pub fn account_room(account: Option<&str>) -> String {
    format!("account:{}", account.unwrap_or("global"))
}

pub fn user_room(user: &str) -> String {
    format!("user:{user}")
}

pub fn session_room(session: Uuid) -> String {
    format!("session:{session}")
}
