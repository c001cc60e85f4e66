use contracts::Claims;
use identity::{TokenError, Verifier};

use super::member::Member;
use super::members::{Hub, Inner};
use crate::catalogue::account_room;

impl Hub {
    /// Replaces the claims of a socket by those of a new token. Moves the socket to another account's room if the
    /// account changed.
    pub fn replace_claims(&self, socket: &str, claims: &Claims) {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return };
        inner.change_owner(key, |member| member.replace_claims(claims));
        let member = &mut inner.members[key];
        let (due, old) = (member.next_due(), member.timer.take());
        if let Some(old) = old {
            inner.tokens.remove(old);
        }
        let timer = inner.tokens.add(due, socket.into());
        inner.members[key].timer = Some(timer);
    }

    /// Checks the session and the user of a socket again. Moves the socket to the room of the user's account, or
    /// revokes the socket.
    pub fn recheck(&self, socket: &str, verifier: &Verifier) {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return };
        let checked = inner.change_owner(key, |member| member.owner.recheck(verifier));
        let subscriber = inner.members[key].subscriber.clone();
        drop(inner);
        if let Err(TokenError::Revoked { reason }) = checked {
            subscriber.revoke(socket, reason);
        }
    }
}

impl Inner {
    /// Changes the owner of a socket. The room of the account changes under the same lock, so that no event
    /// reaches a socket of another account.
    fn change_owner<T>(&mut self, key: usize, change: impl FnOnce(&mut Member) -> T) -> T {
        let member = &mut self.members[key];
        let old = member.owner.account_id.clone();
        let changed = change(member);
        let new = member.owner.account_id.clone();
        if old != new {
            self.exit(key, &account_room(old.as_deref()));
            self.enter(key, &account_room(new.as_deref()));
        }
        changed
    }
}
