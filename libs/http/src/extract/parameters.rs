use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use validator::Validate;

use super::field_names::field_names;
use super::validation::{unreadable, validated};
use crate::ApiError;
use crate::contract::is_old;

/// Maximum number of bytes in a query string.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// A query string that satisfies the rules of its type. Give the type `#[serde(deny_unknown_fields)]`.
#[derive(Clone, Debug)]
pub struct ValidQuery<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for ValidQuery<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request).and_then(validated).map(Self))
    }
}

/// Parses the query string. Under the old contract, parameters that the type does not have are ignored.
fn parse<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    let query = request.query_string();
    if query.len() > MAX_QUERY_BYTES {
        let message = format!("must have at most {MAX_QUERY_BYTES} bytes");
        return Err(ApiError::validation("query", message));
    }
    let sent = form_urlencoded::parse(query.as_bytes());
    let known = field_names::<T>().filter(|_| is_old(request)).map(|names| {
        let known = sent.filter(|(name, _)| names.contains(&name.as_ref()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(known).finish()
    });
    let query = known.as_deref().unwrap_or(query);
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| unreadable(&error.path().to_string(), &error.inner().to_string()))
}

/// Refuses every query parameter, for operations that have none.
#[derive(Clone, Copy, Debug)]
pub struct NoQuery;

impl FromRequest for NoQuery {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        ready(parse(request).map(|Nothing {}| Self))
    }
}

/// The single parameter of a path, such as an id.
#[derive(Clone, Debug)]
pub struct ValidPath<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for ValidPath<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        let name = request.match_info().iter().next().map_or("path", |(name, _)| name);
        ready(path.map(|path| Self(path.into_inner())).map_err(|_error| {
            // The old contract takes any text for an id.
            if is_old(request) {
                ApiError::not_found("there is nothing with this id")
            } else {
                ApiError::validation(name, "is not valid")
            }
        }))
    }
}
