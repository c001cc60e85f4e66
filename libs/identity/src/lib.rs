//! Authenticates callers: signs and verifies access tokens, and knows which sessions have ended.
//!
//! Verification needs only memory. Events update the list of ended sessions; where events may have been
//! missed, the list is read from the backplane's marks. The marks also carry the public keys that auth-service
//! issues. [`Seal`] encrypts what a service keeps secret in its database. No HTTP, no database, no passwords.
//! Start with [`Verifier::verify`], [`Keys`] and [`Revocations`].

mod config;
mod follow;
mod keys;
mod legacy;
mod marks;
mod revocations;
mod seal;
mod service_token;
mod signing_key;
mod token_use;
mod verifier;
mod verifying_key;

pub use config::{KeyConfig, KeyError, check_secret, parse_duration};
pub use follow::Follower;
pub use keys::Keys;
pub use marks::{UserChange, key_mark, session_mark, user_mark, withdrawn_key_mark};
pub use revocations::{Change, Revocations};
pub use seal::{Opened, Seal, Unreadable};
pub use service_token::{service_subject, service_token_id};
pub use signing_key::{SigningKey, TOKEN_TYPE};
pub use token_use::TokenUses;
pub use verifier::{LEEWAY, TokenError, Verifier};
