//! The numbers of drifts for each value that a filter can have.

use std::collections::BTreeMap;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};
use sea_orm::{FromQueryResult, Order, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

use super::Filter;
use super::entity::{Column, Entity};
use super::filter::filtered_query;

/// Maximum number of values that a facet lists.
const MAX_VALUES: u64 = 50;

filtered_query! {
    /// The drifts to count. Lists are comma-separated, with at most 50 values.
    pub struct FacetQuery {}
}

/// A value and the number of drifts that have it.
#[derive(Debug, FromQueryResult, Serialize, ToSchema)]
pub(super) struct FacetValue {
    value: Option<String>,
    count: i64,
}

/// For each facet, its 50 most frequent values. Each facet leaves out its own filter, so that it shows what another
/// choice would give.
pub(super) type Facets = BTreeMap<&'static str, Vec<FacetValue>>;

/// Counts the drifts of each value of each facet.
///
/// # Errors
/// If the database fails.
pub(super) async fn count(db: &impl ConnectionTrait, filter: &Filter) -> Result<Facets, DbErr> {
    let without = |change: fn(&mut Filter)| {
        let mut filter = filter.clone();
        change(&mut filter);
        filter
    };
    let facets = [
        ("status", Column::Status, without(|filter| filter.status = None)),
        ("severity", Column::Severity, without(|filter| filter.severity = None)),
        ("kind", Column::Kind, without(|filter| filter.kind = None)),
        ("resourceType", Column::ResourceType, without(|filter| filter.resource_type = None)),
        ("stack", Column::Stack, without(|filter| filter.stack = None)),
        ("region", Column::Region, without(|filter| filter.region = None)),
        ("accountId", Column::AccountId, without(|filter| filter.account_id = None)),
    ];
    let mut counts = Facets::new();
    for (name, column, filter) in facets {
        let values = Entity::find()
            .select_only()
            .column_as(column, "value")
            .column_as(Expr::col(Asterisk).count(), "count")
            .filter(filter.condition())
            .group_by(column)
            .order_by(Expr::col(Asterisk).count(), Order::Desc)
            .order_by_asc(column)
            .limit(MAX_VALUES)
            .into_model()
            .all(db)
            .await?;
        counts.insert(name, values);
    }
    Ok(counts)
}
