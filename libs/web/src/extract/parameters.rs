use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use validator::Validate;

use super::{unreadable, validated};
use crate::ApiError;

/// A query string whose rules hold. Give the type `#[serde(deny_unknown_fields)]`.
#[derive(Clone, Debug)]
pub struct ValidQuery<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for ValidQuery<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = request.query_string().as_bytes();
        let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query));
        let value = serde_path_to_error::deserialize(deserializer)
            .map_err(|error| unreadable(&error.path().to_string(), &error.inner().to_string()));
        ready(value.and_then(validated).map(Self))
    }
}

/// The one parameter of a path, such as an id.
#[derive(Clone, Debug)]
pub struct ValidPath<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for ValidPath<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        let name = request.match_info().iter().next().map_or("path", |(name, _)| name);
        ready(
            path.map(|path| Self(path.into_inner())).map_err(|_| ApiError::validation(name, "is not valid")),
        )
    }
}
