//! The communication between replicas of the gateway: which replicas are present, and questions that each of them
//! answers for its own sockets. All messages use one control channel of the backplane, which is never relayed to
//! clients.

mod control;
mod replicas;

pub(crate) use control::{CHANNEL, ControlHandler, Question};
pub(crate) use replicas::{Answers, Cluster};
