use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::login::networks::{networks, own_network};
use crate::password::Step;
use crate::user::email::Email;

/// Maximum number of jobs that an address, or an IPv6 /64, gets in one turn of the queue.
const JOBS_IN_A_TURN: usize = 4;

/// A login, a sign-up or a password change: the account that was typed, and the client's address.
///
/// No field depends on whether the account exists.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub email: Email,
    pub ip: IpAddr,
}

/// The key of a group in the queue of the password hasher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueGroup {
    Network(IpNet),
    Account(Email),
}

impl Attempt {
    /// The path of the attempt's jobs in the queue: its networks, widest first, then the account.
    ///
    /// An account takes its turns within one address. If all addresses shared the turns of an account,
    /// strangers who try to log in to it would delay its owner.
    pub fn path(&self) -> Vec<Step<QueueGroup>> {
        let networks = networks(self.ip).into_iter().rev().map(|network| Step {
            group: QueueGroup::Network(network.range),
            most: JOBS_IN_A_TURN * network.weight,
        });
        networks.chain([Step { group: QueueGroup::Account(self.email.clone()), most: 1 }]).collect()
    }

    /// The key of the account in counters; see [`account`].
    pub fn account(&self) -> String {
        account(&self.email)
    }

    /// The narrowest network that the attempt came from.
    pub fn network(&self) -> String {
        own_network(self.ip)
    }
}

/// The key of an account in counters: a hash, because more people may read the counters than the users'
/// addresses.
pub fn account(email: &Email) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(email.as_str()))
}
