//! Extractors for handlers. A malformed part of a request becomes an [`ApiError`] that names the field.

mod any_of;
mod body;
mod caller;
mod field_names;
mod parameters;
mod request_id;
mod role;
mod validation;

pub use any_of::AnyOf;
pub use body::{BodyLimit, ValidJson, is_json, parse_body, parse_json, read_body};
pub use caller::{Caller, MaybeCaller, bearer};
pub use parameters::{NoQuery, ValidPath, ValidQuery};
pub use request_id::RequestId;
pub use role::{Admin, Engineer, Viewer};
pub use validation::is_account_id;
