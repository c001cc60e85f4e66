//! Lists of stacks, worst status first.

use contracts::scan::StackStatus;
use database::text_contains;
use http::{AnyOf, ApiError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::entity::{self, Column, Entity, Model};
use super::labels::label_pair;
use crate::error::DriftError;
use crate::page;
use crate::text::storable;

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct StackQuery {
    #[param(value_type = Option<String>)]
    status: Option<AnyOf<StackStatus>>,
    #[validate(length(max = 255), custom(function = "storable"))]
    #[param(max_length = 255)]
    owner: Option<String>,
    /// `key=value`
    #[validate(length(max = 127), custom(function = "storable"))]
    #[param(max_length = 127)]
    label: Option<String>,
    /// Part of the name, case-insensitive
    #[validate(length(max = 100), custom(function = "storable"))]
    #[param(max_length = 100)]
    q: Option<String>,
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    pub limit: u64,
    cursor: Option<String>,
}

#[derive(FromQueryResult)]
struct Ranked {
    #[sea_orm(nested)]
    stack: Model,
    rank: i32,
}

impl StackQuery {
    /// Returns a page, and the cursor of the next one if there is one.
    ///
    /// # Errors
    /// 400 for a cursor of another query, or for a label that is not `key=value`.
    pub async fn page(&self, db: &impl ConnectionTrait) -> Result<(Vec<Model>, Option<String>), ApiError> {
        let bound = format!("{:?}", Self { cursor: None, limit: 0, ..self.clone() });
        let after = page::after::<(i32, String)>(self.cursor.as_deref(), &bound)?;
        let place = || Expr::tuple([entity::rank(), Expr::col((Entity, Column::Name))]);
        let later = |((rank, name), _): ((i32, String), Uuid)| {
            place().gt(Expr::tuple([Expr::value(rank), Expr::value(name)]))
        };
        let rows: Vec<Ranked> = Entity::find()
            .column_as(entity::rank(), "rank")
            .filter(self.condition()?)
            .filter(Condition::all().add_option(after.map(later)))
            .order_by_asc(entity::rank())
            .order_by_asc(Column::Name)
            .limit(self.limit + 1)
            .into_model()
            .all(db)
            .await
            .map_err(DriftError::from)?;
        let (rows, next) =
            page::cut(rows, self.limit, &bound, |row| ((row.rank, row.stack.name.clone()), row.stack.id));
        Ok((rows.into_iter().map(|row| row.stack).collect(), next))
    }

    fn condition(&self) -> Result<Condition, ApiError> {
        let label = self.label.as_deref().map(label_pair).transpose()?;
        let labels = || Func::lower(Expr::col((Entity, Column::Labels))).into();
        let name = |part: &String| text_contains(Func::lower(Expr::col((Entity, Column::Name))).into(), part);
        Ok(Condition::all()
            .add_option(self.status.as_ref().map(|AnyOf(wanted)| entity::has_status(wanted)))
            .add_option(self.owner.as_ref().map(|owner| Column::Owner.eq(owner)))
            .add_option(label.map(|pair| text_contains(labels(), &pair)))
            .add_option(self.q.as_ref().filter(|text| !text.is_empty()).map(name)))
    }
}
