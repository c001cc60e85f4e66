//! Statements outside a transaction, also behind a pooler that gives each transaction another connection.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::database::Database;

#[async_trait::async_trait]
impl ConnectionTrait for Database {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        if self.opening.is_none() {
            return self.connection.execute_raw(statement).await;
        }
        let transaction = self.begin_immediate().await?;
        let result = transaction.execute_raw(statement).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        if self.opening.is_none() {
            return self.connection.execute_unprepared(sql).await;
        }
        let transaction = self.begin_immediate().await?;
        let result = transaction.execute_unprepared(sql).await?;
        transaction.commit().await?;
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if self.opening.is_none() {
            return self.connection.query_one_raw(statement).await;
        }
        let transaction = self.begin_immediate().await?;
        let row = transaction.query_one_raw(statement).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if self.opening.is_none() {
            return self.connection.query_all_raw(statement).await;
        }
        let transaction = self.begin_immediate().await?;
        let rows = transaction.query_all_raw(statement).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}
