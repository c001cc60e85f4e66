//! The two contracts of the REST interface: the current one, and that of the replaced Node stack. The old one is served
//! only with `COMPAT_ROUTES=true`.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::guard::GuardContext;
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};

/// The header with which a request asks for the current contract at a path that both contracts have.
const CONTRACT: HeaderName = HeaderName::from_static("x-api-contract");
const CURRENT: &[u8] = b"current";

/// The mark of a request that is served under the old contract. Unknown fields of its query and its body are ignored,
/// a malformed id is an unknown one, and its errors have the old form.
struct Old;

/// Marks a request as one of the old contract.
pub(crate) async fn mark_old(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    request.extensions_mut().insert(Old);
    next.call(request).await
}

/// Whether a request is served under the old contract.
pub(crate) fn is_old(request: &HttpRequest) -> bool {
    request.extensions().contains::<Old>()
}

/// Whether a request gets the old contract at a path that both contracts have.
pub(crate) fn accepts_old(context: &GuardContext<'_>) -> bool {
    let contract = context.head().headers.get(CONTRACT);
    contract.is_none_or(|contract| contract.as_bytes() != CURRENT)
}
