use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// Whether the database was unreachable or too busy, so that the same call may succeed later.
pub fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match &**error {
                SqlxError::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
                SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_) => true,
                SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::WorkerCrashed => true,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a code means a temporary state of the server.
///
/// PostgreSQL: classes of connections, read-only transactions (after a failover), conflicts between
/// transactions, missing resources, and shutdown. SQLite: busy, locked, read-only, disk errors, disk full,
/// file cannot be opened.
fn is_passing(code: &str) -> bool {
    match code.len() {
        5 => ["08", "25", "40", "53", "57P"].iter().any(|class| code.starts_with(class)),
        // The low byte of an extended code is the code itself.
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)),
    }
}
