use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::email::Email;
use crate::networks::{networks, own_network};
use crate::password::Step;

/// The most jobs of an address, or of an IPv6 /64, in one turn in the line.
const JOBS_IN_A_TURN: usize = 4;

/// An attempt with a password: the account that was typed, and where it came from.
///
/// Nothing in here depends on whether the account exists.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub email: Email,
    pub ip: IpAddr,
}

/// A group in the line for the password hasher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    Network(IpNet),
    Account(Email),
}

impl Attempt {
    /// The path of the attempt's jobs in the line: its networks from the widest on, then the account.
    ///
    /// An account takes turns within its address. With one turn for an account everywhere, strangers who
    /// try to log in to it would delay its owner.
    pub fn path(&self) -> Vec<Step<Group>> {
        let networks = networks(self.ip).into_iter().rev().map(|network| Step {
            group: Group::Network(network.range),
            most: JOBS_IN_A_TURN * network.weight,
        });
        networks.chain([Step { group: Group::Account(self.email.clone()), most: 1 }]).collect()
    }

    /// See [`account`].
    pub fn account(&self) -> String {
        account(&self.email)
    }

    /// The narrowest network that the attempt came from.
    pub fn network(&self) -> String {
        own_network(self.ip)
    }
}

/// Stands for an account in counters, which more people may read than the users' addresses.
pub fn account(email: &Email) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(email.as_str()))
}
