//! The rooms that a socket is in without asking.

use contracts::AccountId;
use uuid::Uuid;

/// The rooms of a new socket: everybody, its user, its account and its session.
pub(crate) fn own_rooms(user: &str, account: Option<&str>, session: Option<Uuid>) -> Vec<String> {
    let mut rooms = vec!["all".into(), user_room(user), account_room(account)];
    rooms.extend(session.map(session_room));
    rooms
}

pub(crate) fn account_room(account: Option<&str>) -> String {
    format!("account:{}", account.unwrap_or(AccountId::NONE))
}

pub(crate) fn user_room(user: &str) -> String {
    format!("user:{user}")
}

pub(crate) fn session_room(session: Uuid) -> String {
    format!("session:{session}")
}
