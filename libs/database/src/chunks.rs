//! Statements with many values. A database limits the parameters of one statement.

use std::collections::HashSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Iterable, QueryFilter,
    QuerySelect,
};
use uuid::Uuid;

/// Maximum number of parameters in one statement: the limit of SQLite, which is the lowest.
const PARAMETERS: usize = 32_766;
/// Maximum number of rows in one INSERT. Longer statements are no faster.
const ROWS: usize = 2_000;
/// Maximum number of values in one list of a condition.
pub const IDS_PER_STATEMENT: usize = 1_000;

/// Inserts any number of rows, in as many statements as needed.
///
/// # Errors
/// If the database refuses. Rows of earlier statements stay until the transaction is rolled back.
pub async fn insert_chunked<A>(db: &impl ConnectionTrait, rows: Vec<A>) -> Result<(), DbErr>
where
    A: ActiveModelTrait,
{
    let columns = <A::Entity as EntityTrait>::Column::iter().count().max(1);
    for chunk in rows.chunks(ROWS.min(PARAMETERS / columns)) {
        A::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Returns the ids among `ids` that stand in the column in rows with this condition.
///
/// # Errors
/// If the database refuses.
pub async fn ids_where<E: EntityTrait>(
    db: &impl ConnectionTrait,
    column: E::Column,
    ids: &[Uuid],
    condition: Condition,
) -> Result<HashSet<Uuid>, DbErr> {
    let mut found = HashSet::new();
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let of_these = E::find().filter(column.is_in(chunk.iter().copied())).filter(condition.clone());
        found.extend(of_these.select_only().column(column).into_tuple::<Uuid>().all(db).await?);
    }
    Ok(found)
}
