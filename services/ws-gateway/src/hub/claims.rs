use contracts::Claims;
use identity::TokenError;

use super::member::Member;
use super::members::Hub;
use crate::catalogue::account_room;
use crate::protocol::Ending;

impl Hub {
    /// Replaces the claims of a socket by those of a new token, and rechecks the socket: the session may have ended or
    /// the account may have changed since the check of the token.
    pub(crate) fn replace_claims(&self, socket: &str, claims: &Claims) {
        self.change_owner(socket, |member| member.replace_claims(claims));
    }

    /// Checks the keys, the session and the user of a socket again. Moves the socket to the room of the user's account,
    /// or closes the socket.
    pub(crate) fn recheck(&self, socket: &str) {
        self.change_owner(socket, |_| {});
    }

    /// Changes and rechecks a socket under one lock, so that no event reaches a socket of another account.
    fn change_owner(&self, socket: &str, change: impl FnOnce(&mut Member)) {
        let mut inner = self.lock();
        let Some(&key) = inner.by_entrance.get(socket) else { return };
        let member = &mut inner.members[key];
        let old = member.owner.account_id.clone();
        change(member);
        let checked = member.owner.recheck(&self.verifier);
        let (new, subscriber) = (member.owner.account_id.clone(), member.subscriber.clone());
        if old != new {
            inner.exit(key, &account_room(old.as_deref()));
            inner.enter(key, &account_room(new.as_deref()));
        }
        inner.arm_token(key);
        drop(inner);
        match checked {
            Ok(()) => {}
            Err(TokenError::Revoked { reason }) => subscriber.revoke(socket, reason),
            // The client may connect again with a new token.
            Err(TokenError::Invalid | TokenError::Expired { .. }) => subscriber.close(Ending::Expired),
        }
    }
}
