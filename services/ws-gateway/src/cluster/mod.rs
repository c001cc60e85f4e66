//! The replicas of the gateway among themselves: who is present, and questions that each replica answers
//! for its own sockets. Replicas talk on one control channel of the backplane, which no client hears.

mod control;
mod replicas;

pub use control::{CHANNEL, ControlHandler, Question};
pub use replicas::{Answers, Cluster};
