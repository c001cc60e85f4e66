use http::openapi::{Conventions, OldFailure};
use utoipa::OpenApi;

use super::{account, api_key, log_out};
use crate::openapi::RefreshCookie;

#[derive(OpenApi)]
#[openapi(
    paths(
        log_out::log_out,
        account::get_me,
        account::put_settings,
        account::delete_me,
        api_key::regenerate_api_key,
    ),
    components(schemas(OldFailure)),
    modifiers(&RefreshCookie, &Conventions)
)]
struct OldDocument;

/// The paths of the old contract that differ from the current one.
pub fn openapi() -> utoipa::openapi::OpenApi {
    OldDocument::openapi()
}
