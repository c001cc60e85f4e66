use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Returns an id that cannot be guessed: 20 characters, 120 random bits.
#[expect(clippy::expect_used, reason = "a process without random numbers cannot go on")]
pub(crate) fn random_id() -> Arc<str> {
    let mut bytes = [0; 15];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes).into()
}
