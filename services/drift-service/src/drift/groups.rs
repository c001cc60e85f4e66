//! Drifts grouped by their cause: the same paths of resources of one type changed to the same values.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::drift::{Kind, Status};
use http::ApiError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, CaseStatement, Expr, ExprTrait};
use sea_orm::{Condition, FromQueryResult, Order, QueryOrder, QuerySelect};

use super::Filter;
use super::entity::{self, Column, Entity, Model};
use super::filter::filtered_query;
use crate::error::DriftError;
use crate::page;

filtered_query! {
    /// The drifts to group, and the number of groups. Lists are comma-separated, with at most 50 values.
    pub struct GroupQuery {
        #[validate(range(min = 1, max = 100))]
        #[serde(default = "http::cursor::default_limit")]
        #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
        pub limit: u64,
        cursor: Option<String>,
    }
}

/// A group of drifts.
#[derive(Clone, Debug, FromQueryResult)]
pub struct CauseGroup {
    pub resource_type: String,
    pub kind: Kind,
    pub actual_hash: String,
    pub drifts: i64,
    pub stacks: i64,
    pub detected: i64,
    pub approved: i64,
    pub rejected: i64,
    pub resolved: i64,
    /// The highest [`contracts::drift::Severity::rank`].
    pub rank: i16,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    /// One of its drifts: the first by address.
    pub address: String,
}

/// A group with the numbers that order it.
#[derive(FromQueryResult)]
struct Counted {
    resource_type: String,
    kind: Kind,
    actual_hash: String,
    drifts: i64,
    rank: i16,
}

impl Counted {
    fn condition(&self) -> Condition {
        Condition::all()
            .add(Column::ActualHash.eq(&self.actual_hash))
            .add(Column::ResourceType.eq(&self.resource_type))
            .add(Column::Kind.eq(self.kind))
    }
}

fn grouped() -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::Kind)
        .column_as(Column::ResourceType, "resource_type")
        .column_as(Column::ActualHash, "actual_hash")
        .group_by(Column::ResourceType)
        .group_by(Column::Kind)
        .group_by(Column::ActualHash)
}

impl GroupQuery {
    /// Returns a page of groups, the most severe and then the largest first, and the cursor of the next page if there
    /// is one.
    ///
    /// # Errors
    /// 400 for a cursor of another query.
    pub async fn page(
        &self,
        db: &impl ConnectionTrait,
        filter: &Filter,
    ) -> Result<(Vec<CauseGroup>, Option<String>), ApiError> {
        let bound = format!("{:?}", Self { cursor: None, limit: 0, ..self.clone() });
        let after = page::after::<(i16, i64, String)>(self.cursor.as_deref(), &bound)?;
        let (rank, drifts) = (|| Expr::col(Column::SeverityRank).max(), || Expr::col(Asterisk).count());
        let key = || Expr::col(Column::ActualHash).binary(CONCAT, Expr::col(Column::ResourceType));
        let mut select =
            grouped().column_as(drifts(), "drifts").column_as(rank(), "rank").filter(filter.condition());
        if let Some(((last_rank, last_drifts, last_key), _)) = after {
            let here = Expr::tuple([rank(), drifts(), key()]);
            let there = [Expr::value(last_rank), Expr::value(last_drifts), Expr::value(last_key)];
            select = select.having(here.lt(Expr::tuple(there)));
        }
        let rows: Vec<Counted> = select
            .order_by(rank(), Order::Desc)
            .order_by(drifts(), Order::Desc)
            .order_by(key(), Order::Desc)
            .limit(self.limit + 1)
            .into_model()
            .all(db)
            .await
            .map_err(DriftError::from)?;
        let (page, next) = page::cut(rows, self.limit, &bound, |group| {
            ((group.rank, group.drifts, format!("{}{}", group.actual_hash, group.resource_type)), Uuid::nil())
        });
        Ok((Self::details(db, filter, page).await?, next))
    }

    /// Reads what is shown of the groups of a page. Only the numbers that order the groups are read for all of them,
    /// because an index has these.
    async fn details(
        db: &impl ConnectionTrait,
        filter: &Filter,
        page: Vec<Counted>,
    ) -> Result<Vec<CauseGroup>, ApiError> {
        let with = |status: Status| {
            let is_it: Expr = CaseStatement::new().case(Column::Status.eq(status), 1).finally(0).into();
            is_it.sum().cast_as("bigint")
        };
        let any = page.iter().fold(Condition::any(), |any, group| any.add(group.condition()));
        let rows: Vec<CauseGroup> = grouped()
            .column_as(Expr::col(Asterisk).count(), "drifts")
            .column_as(Expr::col(Column::Stack).count_distinct(), "stacks")
            .column_as(with(Status::Detected), "detected")
            .column_as(with(Status::Approved), "approved")
            .column_as(with(Status::Rejected), "rejected")
            .column_as(with(Status::Resolved), "resolved")
            .column_as(Column::SeverityRank.max(), "rank")
            .column_as(Column::FirstSeenAt.min(), "first_seen_at")
            .column_as(Column::LastSeenAt.max(), "last_seen_at")
            .column_as(Column::Address.min(), "address")
            .filter(filter.condition())
            .filter(any)
            .into_model()
            .all(db)
            .await
            .map_err(DriftError::from)?;
        let mut groups: HashMap<_, CauseGroup> = rows
            .into_iter()
            .map(|group| ((group.resource_type.clone(), group.kind, group.actual_hash.clone()), group))
            .collect();
        let found = page.into_iter();
        Ok(found.filter_map(|it| groups.remove(&(it.resource_type, it.kind, it.actual_hash))).collect())
    }

    /// Returns one drift of each group, which shows what its drifts have in common.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn examples(
        db: &impl ConnectionTrait,
        filter: &Filter,
        groups: &[CauseGroup],
    ) -> Result<Vec<Model>, DbErr> {
        let mut examples = Vec::with_capacity(groups.len());
        for CauseGroup { resource_type, actual_hash, address, .. } in groups {
            let among = filter.condition();
            examples.extend(entity::of_cause(db, among, resource_type, actual_hash, address).await?);
        }
        Ok(examples)
    }
}

/// Both databases concatenate texts with it.
const CONCAT: sea_orm::sea_query::BinOper = sea_orm::sea_query::BinOper::Custom("||");
