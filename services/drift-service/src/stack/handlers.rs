//! The endpoints that read stacks.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::{List, Success};
use http::{ApiError, NoQuery, ValidPath, ValidQuery};

use super::entity;
use super::list::StackQuery;
use super::name::checked_name;
use super::view::{StackView, views};
use crate::State;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::error::DriftError;

/// Lists stacks, worst status first: silent, blind, drifted, clean.
#[utoipa::path(get, path = "/api/v1/stacks", tag = "stacks", params(StackQuery, AsOfParams),
    responses((status = 200, body = List<StackView>)),
    security((), ("bearer" = [])))]
pub async fn list_stacks(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<StackQuery>,
) -> Result<HttpResponse, ApiError> {
    let (stacks, next) = query.page(&state.database).await?;
    let views = views(&state, &state.database, stacks, reader.audience).await.map_err(DriftError::from)?;
    Ok(as_of.on(http::list(views, query.limit, next)))
}

/// Returns a stack. In the path, `/` in its name is `%2F`.
#[utoipa::path(get, path = "/api/v1/stacks/{name}", tag = "stacks", params(("name" = String, Path), AsOfParams),
    responses((status = 200, body = Success<StackView>)),
    security((), ("bearer" = [])))]
pub async fn get_stack(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    _: NoQuery,
    ValidPath(name): ValidPath<String>,
) -> Result<HttpResponse, ApiError> {
    let stack = entity::by_name(&state.database, &checked_name(name)?).await.map_err(DriftError::from)?;
    let stack = stack.ok_or(DriftError::NotFound("stack"))?;
    let views = views(&state, &state.database, vec![stack], reader.audience).await;
    Ok(as_of.on(http::ok(views.map_err(DriftError::from)?.pop())))
}
