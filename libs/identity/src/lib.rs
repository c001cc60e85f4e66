//! Authenticates callers: signs and verifies access tokens, and knows which sessions have ended.
//!
//! Verification needs only memory. Events update the list of ended sessions; where events may have been
//! missed, the list is read from the backplane's marks. No HTTP, no database, no passwords.
//! Start with [`Verifier::verify`] and [`Revocations`].

mod config;
mod keys;
mod revocation_marks;
mod revocations;
mod service_token;
mod token_use;
mod verifier;

pub use config::{KeyConfig, KeyError, check_secret, parse_duration};
pub use keys::{Keys, TOKEN_TYPE};
pub use revocation_marks::{UserChange, session_mark, user_mark};
pub use revocations::{Change, Revocations};
pub use service_token::{service_subject, service_token_id};
pub use token_use::TokenUses;
pub use verifier::{LEEWAY, TokenError, Verifier};
