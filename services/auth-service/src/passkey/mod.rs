//! Passkeys: WebAuthn credentials as second factor, for a step-up, and for a login without a password.
//!
//! A ceremony has two requests. [`options`] creates a challenge, stores it, and returns what the browser's API needs. The
//! browser sends the result back: [`register`] or [`verify`] takes the challenge, so that it works once, and checks the
//! result. `webauthn_rp` implements the checks of the specification.

pub mod challenge;
pub mod entity;
pub mod factor;
pub mod handlers;
pub mod limits;
pub mod log_in;
pub mod options;
pub mod register;
pub mod relying;
pub mod verify;
pub mod view;

pub use challenge::ChallengePurpose;
pub use options::{creation_options, discoverable_options, request_options};
pub use register::register;
pub use relying::Relying;
pub use verify::verify;
