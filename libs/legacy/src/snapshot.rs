use database::{ConnectError, Database, has_column};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    Statement, TransactionTrait,
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::report::ImportReport;

/// Number of rows in one exchange. A row can have some hundred kilobytes.
const PAGE: usize = 100;
/// The parameters that the driver or this project knows. Others, such as `connection_limit`, are of other drivers.
const PARAMETERS: [&str; 19] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "password",
    "pooler",
    "port",
    "schema",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// One view of a PostgreSQL database of another system. It is only read, and stays the same while others write.
pub struct Snapshot {
    connection: DatabaseConnection,
    transaction: DatabaseTransaction,
}

impl Snapshot {
    /// Opens the database of a URL.
    ///
    /// # Errors
    /// If the URL cannot be used, or the database cannot be reached.
    pub(crate) async fn open(url: &str) -> Result<Self, ConnectError> {
        let connection = Database::open_foreign(url).await?;
        let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
        let transaction = connection.begin_with_config(Some(isolation), Some(access)).await?;
        Ok(Self { connection, transaction })
    }

    /// Returns whether the database has a table with this column.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn has_column(&self, table: &str, column: &str) -> Result<bool, DbErr> {
        has_column(&self.transaction, table, column).await
    }

    /// Returns the number that a query returns as `count`.
    ///
    /// # Errors
    /// If the database refuses the query.
    pub async fn count(&self, query: &str) -> Result<u64, DbErr> {
        let row = self.transaction.query_one_raw(statement(query)).await?;
        let count = row.map_or(Ok(0), |row| row.try_get::<i64>("", "count"))?;
        Ok(count.try_into().unwrap_or_default())
    }

    /// Begins to read the rows of a query. Read all pages before the next call.
    ///
    /// # Errors
    /// If the database refuses the query.
    pub async fn read(&self, query: &str) -> Result<Pages<'_>, DbErr> {
        let declare = format!(
            "DECLARE pages NO SCROLL CURSOR FOR \
             SELECT to_jsonb(item)->>'id' AS id, to_jsonb(item)::text AS item FROM ({query}) AS item"
        );
        self.transaction.execute_raw(statement(&declare)).await?;
        Ok(Pages { transaction: &self.transaction })
    }

    /// Ends the view.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn close(self) -> Result<(), DbErr> {
        self.transaction.rollback().await?;
        self.connection.close().await
    }
}

/// The rows of a query, page by page.
pub struct Pages<'a> {
    transaction: &'a DatabaseTransaction,
}

impl Pages<'_> {
    /// Returns the next rows as they look in JSON: an object of columns. Returns `None` after the last page. A row that
    /// cannot be read as a `T` becomes a remark in `report`.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn next<T: DeserializeOwned>(
        &mut self,
        report: &mut ImportReport,
    ) -> Result<Option<Vec<T>>, DbErr> {
        let rows = self.transaction.query_all_raw(statement(&format!("FETCH {PAGE} FROM pages"))).await?;
        if rows.is_empty() {
            self.transaction.execute_raw(statement("CLOSE pages")).await?;
            return Ok(None);
        }
        let mut page = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, item): (Option<String>, String) = (row.try_get("", "id")?, row.try_get("", "item")?);
            match serde_json::from_str(&item) {
                Ok(item) => page.push(item),
                // The error may quote a value.
                Err(_) => report.remark("cannot be read; not imported", id.unwrap_or_default()),
            }
        }
        Ok(Some(page))
    }
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

/// Returns the URL without the parameters that only other drivers know.
pub(crate) fn without_foreign_parameters(url: &str) -> Result<String, ConnectError> {
    let mut url = Url::parse(url).map_err(|_error| ConnectError::NotAUrl)?;
    let is_known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options");
    let kept: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| is_known(name)).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_other_drivers_are_ignored() {
        let kept = without_foreign_parameters(
            "postgres://u:p%2F@h/db?schema=public&connection_limit=5&pgbouncer=true&sslmode=require",
        );
        assert_eq!(kept.unwrap(), "postgres://u:p%2F@h/db?schema=public&sslmode=require");
    }
}
