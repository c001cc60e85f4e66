//! A database whose transactions carry events: what is committed is published, what is rolled back
//! is not.
//!
//! An event is a row in the `outbox` table, written by the transaction that it tells of. After the
//! commit the relay of any replica publishes it. Every relay publishes everything that is unsent,
//! oldest first, and appending is idempotent: so it does not matter how many run, or where one dies.
//!
//! Start with [`Database`]. Nothing here knows what the events mean.

mod away;
mod connect;
mod database;
mod entity;
mod metrics;
mod migration;
mod relay;
mod transaction;

pub use away::is_away;
pub use connect::ConnectError;
pub use database::Database;
pub use migration::Migration;
pub use transaction::Transaction;
