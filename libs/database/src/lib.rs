//! A database whose transactions carry events. Events of a committed transaction are published; those of
//! one that is rolled back are not.
//!
//! An event is a row in the `outbox` table, written by the transaction that it describes. After the
//! commit, the relay of any replica publishes it. Every relay publishes all unsent events, oldest first.
//! Appending is idempotent, so that any number of relays may run, and any of them may die.
//!
//! Start with [`Database`]. This crate does not interpret events.

mod chunks;
mod connect;
mod contains;
mod database;
mod entity;
mod foreign;
mod metrics;
mod migration;
mod outbox;
mod outbox_relay;
mod statements;
mod storage_move;
mod transaction;
mod unavailable;
mod writable;

pub use chunks::{IDS_PER_STATEMENT, ids_where, insert_chunked};
pub use connect::{ConnectError, UrlError, Urls};
pub use contains::{contains, text_contains};
pub use database::Database;
pub use foreign::has_column;
pub use migration::Migration;
pub use outbox::Outbox;
pub use outbox_relay::OutboxRelay;
pub use storage_move::{Progress, StorageMove};
pub use transaction::Transaction;
pub use unavailable::is_unavailable;
