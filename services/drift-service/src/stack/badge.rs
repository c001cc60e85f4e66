//! The badge of a stack: an image that a README can show.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use contracts::scan::StackStatus;
use http::{ApiError, ValidPath, ValidQuery};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::badge_key::is_key;
use super::entity;
use super::name::checked_name;
use super::view::StackCounts;
use crate::State;
use crate::access::Reader;
use crate::error::DriftError;

/// Seconds for which a proxy may show the same badge.
const MAX_AGE: u32 = 60;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct BadgeQuery {
    /// The key in `badgePath`, which makes the badge of this stack readable without an account
    #[validate(length(max = 64))]
    #[param(max_length = 64)]
    key: Option<String>,
}

/// Returns the status of a stack as an image (SVG).
///
/// Readable with the key of the stack, with an account, or by anyone if reads are public.
#[utoipa::path(get, path = "/api/v1/stacks/{name}/badge.svg", tag = "stacks",
    params(("name" = String, Path), BadgeQuery),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 401)),
    security((), ("bearer" = [])))]
pub async fn get_stack_badge(
    state: Data<State>,
    request: HttpRequest,
    ValidQuery(query): ValidQuery<BadgeQuery>,
    ValidPath(name): ValidPath<String>,
) -> Result<HttpResponse, ApiError> {
    let name = checked_name(name)?;
    let has_key = query.key.is_some_and(|key| is_key(&state.state_key, &name, &key));
    if !has_key {
        Reader::extract(&request).await?;
    }
    let stack = entity::by_name(&state.database, &name).await.map_err(DriftError::from)?;
    let stack = stack.ok_or(DriftError::NotFound("stack"))?;
    let counts = StackCounts::of(&state.database, &[&name]).await.map_err(DriftError::from)?;
    let open = counts.get(&name).map_or(0, StackCounts::open);
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header((header::CACHE_CONTROL, format!("max-age={MAX_AGE}")))
        .body(draw(stack.status(open), open)))
}

/// Contains no text of a request.
fn draw(status: StackStatus, open: u64) -> String {
    let (text, color) = match status {
        StackStatus::Clean => ("clean".to_owned(), "#2e7d32"),
        StackStatus::Drifted => (format!("{open} open"), "#b23c17"),
        StackStatus::Blind => ("blind".to_owned(), "#6b4ea0"),
        StackStatus::Silent => ("silent".to_owned(), "#555555"),
    };
    let width = 16 + 7 * text.len();
    let (total, middle) = (42 + width, 42 + width / 2);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="drift: {text}"><title>drift: {text}</title><rect width="{total}" height="20" rx="3" fill="#333"/><path d="M42 0h{width}v20h-{width}z" fill="{color}"/><g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,sans-serif" font-size="11"><text x="21" y="14">drift</text><text x="{middle}" y="14">{text}</text></g></svg>"##
    )
}
