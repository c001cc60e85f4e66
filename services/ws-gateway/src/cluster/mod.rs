//! The communication between replicas of the gateway: which replicas are present, and questions that each of them
//! answers for its own sockets. Replicas talk on one control channel of the backplane, which no client hears.

mod control;
mod replicas;

pub use control::{CHANNEL, ControlHandler, Question};
pub use replicas::{Answers, Cluster};
