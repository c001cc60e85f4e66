use std::collections::BTreeMap;

use sea_orm::prelude::DateTimeWithTimeZone;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, QueryResult, Statement};

/// Reads every row of every table, as text and sorted. Equal values have equal text on both engines.
pub async fn read_all_tables(url: &str) -> BTreeMap<String, Vec<String>> {
    let db = Database::connect(url).await.expect("the database answers");
    let mut columns = BTreeMap::<String, Vec<String>>::new();
    for row in query(&db, columns_of(db.get_database_backend())).await {
        let text = |name| row.try_get::<String>("", name).expect("a text");
        columns.entry(text("table")).or_default().push(format!(
            "{} AS \"{}\"",
            text("value"),
            text("column")
        ));
    }
    let mut tables = BTreeMap::new();
    for (table, values) in columns {
        let rows = query(&db, &format!(r#"SELECT {} FROM "{table}""#, values.join(", "))).await;
        let mut rows = rows.iter().map(row_text).collect::<Vec<_>>();
        rows.sort();
        tables.insert(table, rows);
    }
    db.close().await.ok();
    tables
}

/// Executes a statement on a database.
pub async fn execute(url: &str, sql: &str) {
    let db = Database::connect(url).await.expect("the database answers");
    db.execute_unprepared(sql).await.expect("the statement is valid");
    db.close().await.ok();
}

/// Returns the query of all columns, in the order of their names, with the expression of their text.
fn columns_of(engine: DbBackend) -> &'static str {
    match engine {
        DbBackend::Sqlite => {
            r#"SELECT t.name AS "table", c.name AS "column",
                printf('CASE typeof("%s") WHEN ''blob'' THEN lower(hex("%s")) ELSE CAST("%s" AS TEXT) END',
                    c.name, c.name, c.name) AS "value"
            FROM sqlite_schema t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY t.name, c.name"#
        }
        _ => {
            r#"SELECT table_name::text AS "table", column_name::text AS "column",
                format(CASE udt_name
                    WHEN 'uuid' THEN 'replace(%I::text, ''-'', '''')'
                    WHEN 'bool' THEN '%I::int::text'
                    WHEN 'bytea' THEN 'encode(%I, ''hex'')'
                    WHEN 'timestamptz' THEN 'to_char(%I AT TIME ZONE ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.US+00:00'')'
                    ELSE '%I::text' END, column_name) AS "value"
            FROM information_schema.columns WHERE table_schema = current_schema()
            ORDER BY table_name, column_name COLLATE "C""#
        }
    }
}

fn row_text(row: &QueryResult) -> String {
    let values = row.column_names().into_iter().map(|column| {
        let value: Option<String> = row.try_get("", &column).expect("a text");
        let value = value.map(|value| match DateTimeWithTimeZone::parse_from_rfc3339(&value) {
            Ok(time) => time.timestamp_micros().to_string(),
            Err(_) => value,
        });
        format!("{column}={}", value.as_deref().unwrap_or("NULL"))
    });
    values.collect::<Vec<_>>().join(" | ")
}

async fn query(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.expect("the query is valid")
}
