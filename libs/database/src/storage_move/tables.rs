//! The tables of a schema in PostgreSQL.

use std::collections::HashSet;

use anyhow::{Result, bail, ensure};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// The types that have an exact text form in both databases.
const EXACT_TYPES: [&str; 10] = [
    "bigint",
    "boolean",
    "bytea",
    "character varying",
    "integer",
    "json",
    "smallint",
    "text",
    "timestamp with time zone",
    "uuid",
];

const COLUMNS: &str = r#"
    SELECT t.relname::text AS "table", c.attname::text AS "column", format_type(c.atttypid, NULL) AS "type",
        pg_get_serial_sequence(format('%I.%I', s.nspname, t.relname), c.attname) AS "sequence"
    FROM pg_class t
    JOIN pg_namespace s ON s.oid = t.relnamespace
    JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
    WHERE s.nspname = current_schema() AND t.relkind IN ('r', 'p')
    ORDER BY t.relname, c.attnum"#;
const REFERENCES: &str = r#"
    SELECT DISTINCT t.relname::text AS "table", other.relname::text AS "other"
    FROM pg_constraint k
    JOIN pg_class t ON t.oid = k.conrelid
    JOIN pg_class other ON other.oid = k.confrelid
    JOIN pg_namespace s ON s.oid = t.relnamespace
    WHERE k.contype = 'f' AND s.nspname = current_schema()"#;

pub(super) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

pub(super) struct Column {
    pub name: String,
    type_name: String,
    /// The sequence that gives ids to new rows.
    pub sequence: Option<String>,
}

impl Column {
    /// Returns the expression of the value that `item`, a JSON array of texts, has at `index`.
    pub(super) fn value(&self, index: usize) -> String {
        if self.type_name == "bytea" {
            format!("decode(item->>{index}, 'hex')")
        } else {
            format!("(item->>{index})::{}", self.type_name)
        }
    }
}

/// Returns the tables of the current schema without `migrations`. A table comes after those that it refers to.
pub(super) async fn read_tables(db: &impl ConnectionTrait, migrations: &str) -> Result<Vec<Table>> {
    let mut tables = Vec::<Table>::new();
    for row in query(db, COLUMNS).await? {
        let (table, name, type_name): (String, String, String) =
            (row.try_get("", "table")?, row.try_get("", "column")?, row.try_get("", "type")?);
        if table == migrations {
            continue;
        }
        let is_exact = EXACT_TYPES.contains(&type_name.as_str());
        ensure!(is_exact, "the type {type_name} of {table}.{name} cannot be moved");
        let column = Column { name, type_name, sequence: row.try_get("", "sequence")? };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(Table { name: table, columns: vec![column] }),
        }
    }
    let mut references = HashSet::new();
    for row in query(db, REFERENCES).await? {
        references.insert((row.try_get("", "table")?, row.try_get("", "other")?));
    }
    sort(tables, references)
}

fn sort(mut tables: Vec<Table>, mut references: HashSet<(String, String)>) -> Result<Vec<Table>> {
    let mut sorted = Vec::new();
    while !tables.is_empty() {
        let refers = |table: &mut Table| references.iter().any(|(from, _)| *from == table.name);
        let ready = tables.extract_if(.., |table| !refers(table)).collect::<Vec<_>>();
        if ready.is_empty() {
            bail!("tables refer to each other, so that none of them can be copied first");
        }
        references.retain(|(_, to)| ready.iter().all(|table| table.name != *to));
        sorted.extend(ready);
    }
    Ok(sorted)
}

pub(super) async fn count(db: &impl ConnectionTrait, table: &str) -> Result<u64, DbErr> {
    let sql = format!(r#"SELECT count(*) AS "count" FROM "{table}""#);
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "count"))?;
    Ok(count.unsigned_abs())
}

async fn query(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<sea_orm::QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await
}
