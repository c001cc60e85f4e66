//! The envelope as OpenAPI schemas, and what holds for every operation.

use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, ResponseBuilder};
use utoipa::{Modify, ToSchema};

use crate::ErrorBody;

/// What went well.
#[derive(Serialize, ToSchema)]
pub struct Success<T> {
    pub(crate) success: bool,
    pub(crate) data: T,
}

/// What went well, with nothing to tell.
#[derive(Serialize, ToSchema)]
pub struct Done {
    success: bool,
    #[schema(value_type = Option<Object>)]
    data: (),
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    pub(crate) success: bool,
    pub(crate) data: Vec<T>,
    pub(crate) page: Page,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub(crate) limit: u64,
    /// `null` on the last page.
    pub(crate) next_cursor: Option<String>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct Failure {
    pub(crate) success: bool,
    pub(crate) error: ErrorBody,
}

/// What holds for every operation and would drown the annotations: how to authenticate, and the
/// envelope of errors. List [`Failure`] among the schemas of a document that it modifies.
pub struct Conventions;

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            let failure = Content::new(Some(Ref::from_schema_name("Failure")));
            let response = ResponseBuilder::new()
                .description("What went wrong, in the envelope of errors")
                .content("application/json", failure);
            operation.responses.responses.insert("default".into(), response.build().into());
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, patch, delete, .. } = path;
    [get, post, patch, delete].into_iter().flatten()
}
