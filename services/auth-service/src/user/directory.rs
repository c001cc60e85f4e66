//! The directory: the names of people for the pages that show who did something. It never shows an address.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::List;
use http::{AnyOf, ApiError, ValidQuery, cursor};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::answers;
use crate::caller::AnyPerson;
use crate::error::AuthError;
use crate::state::State;
use crate::user::entity as user;
use crate::user::handlers::one_line;

/// Maximum number of people in a response.
const MAX_PEOPLE: usize = 100;

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DirectoryQuery {
    /// The people to name, separated by commas; at most 100. Without `ids`, the response is a page of all people.
    #[param(value_type = Option<String>)]
    ids: Option<AnyOf<Uuid, MAX_PEOPLE>>,
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "cursor::default_limit")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
    /// Part of a name.
    #[validate(length(min = 1, max = 100), custom(function = "one_line"))]
    #[param(min_length = 1, max_length = 100)]
    q: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PersonName {
    id: Uuid,
    name: String,
}

/// Lists the names of people, sorted by name.
///
/// With `ids`, people who do not exist or were deleted are left out.
#[utoipa::path(get, path = "/api/auth/users/directory", tag = "auth", params(DirectoryQuery), security(("bearer" = [])), responses((status = 200, body = List<PersonName>)))]
pub async fn list_names(
    state: Data<State>,
    _: AnyPerson,
    ValidQuery(query): ValidQuery<DirectoryQuery>,
) -> Result<HttpResponse, ApiError> {
    let DirectoryQuery { ids, limit, cursor, q } = query;
    let (names, limit) = match ids {
        Some(_) if q.is_some() || cursor.is_some() => {
            return Err(ApiError::validation("ids", "cannot be combined with q or cursor"));
        }
        Some(AnyOf(ids)) => (user::names_of(&state.database, ids).await, MAX_PEOPLE as u64),
        None => {
            let after = cursor.as_deref().map(cursor::decode::<(String, Uuid)>).transpose()?;
            if after.as_ref().is_some_and(|(name, _)| one_line(name).is_err()) {
                return Err(ApiError::validation("cursor", "is not a cursor of this list"));
            }
            (user::page_of_names(&state.database, q.as_deref(), after, limit + 1).await, limit)
        }
    };
    let names = names.map_err(AuthError::from)?;
    let view = |(id, name)| PersonName { id, name };
    Ok(answers::page(names, limit, |(id, name)| json!([name, id]), view))
}
