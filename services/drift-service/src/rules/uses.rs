//! Counts the matches of each rule in the file, so that rules without a match can be found.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rule_uses", rename_all = "camelCase")]
pub(super) struct Model {
    /// The rule as [`scan::rules::Rule::text`] writes it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub rule: String,
    pub matches: i64,
    pub last_matched_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds the matches of one scan.
pub async fn note_uses(
    db: &impl ConnectionTrait,
    rules: &scan::rules::Rules,
    uses: &scan::RuleUses,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows: Vec<ActiveModel> = uses
        .iter()
        .filter_map(|(rule, count)| {
            Some(ActiveModel {
                rule: Set(rules.listed().get(*rule)?.text.clone()),
                matches: Set(i64::try_from(*count).unwrap_or(i64::MAX)),
                last_matched_at: Set(at),
            })
        })
        .collect();
    for row in rows {
        let Set(count) = row.matches else { continue };
        let add = OnConflict::column(Column::Rule)
            .value(Column::Matches, Expr::col((Entity, Column::Matches)).add(count))
            .value(Column::LastMatchedAt, Expr::value(at))
            .to_owned();
        Entity::insert(row).on_conflict(add).exec_without_returning(db).await?;
    }
    Ok(())
}

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(db).await
}
