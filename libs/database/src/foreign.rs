//! Databases of other systems.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

/// A table and a column of the replaced Node stack, which no table of ours has.
const LEGACY: [(&str, &str); 3] =
    [("users", "password_hash"), ("User", "password"), ("drifts", "detected_by")];

/// The names among these that tables of ours have too.
pub(crate) const NAMES_OF_OURS: [&str; 2] = ["users", "drifts"];

/// Returns whether a table on the search path of PostgreSQL has this column.
///
/// # Errors
/// If the database is unavailable.
pub async fn has_column(db: &impl ConnectionTrait, table: &str, column: &str) -> Result<bool, DbErr> {
    column_exists(db, &format!("\"{table}\""), column).await
}

/// Returns the tables of the replaced Node stack in a schema, or on the search path.
pub(crate) async fn legacy_tables(
    db: &impl ConnectionTrait,
    schema: Option<&str>,
) -> Result<Vec<&'static str>, DbErr> {
    let mut found = Vec::new();
    for (table, column) in LEGACY {
        let name = schema.map_or_else(|| format!("\"{table}\""), |schema| format!("{schema}.\"{table}\""));
        if column_exists(db, &name, column).await? {
            found.push(table);
        }
    }
    Ok(found)
}

async fn column_exists(db: &impl ConnectionTrait, table: &str, column: &str) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2";
    let values: [Value; 2] = [table.into(), column.into()];
    let query = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(db.query_one_raw(query).await?.is_some())
}
