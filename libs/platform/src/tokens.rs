use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use contracts::Clock;
use identity::{KeyConfig, Keys, Revocations, TokenUses, Verifier};

/// Everything that issues and checks access tokens in this process.
#[derive(Clone)]
pub struct Tokens {
    pub keys: Arc<Keys>,
    /// Lifetime of an access token that can be refreshed.
    pub lifetime: Duration,
    pub verifier: Verifier,
    pub revocations: Revocations,
    /// Reports the use of service tokens.
    pub uses: TokenUses,
}

impl Tokens {
    pub(crate) fn load(config: &KeyConfig, strict: bool, clock: &Clock) -> Result<Self> {
        let keys = Arc::new(Keys::load(config, strict)?);
        let lifetime = config.jwt_access_expiry;
        let revocations = Revocations::new(clock.clone(), lifetime);
        let verifier =
            Verifier::new(Arc::clone(&keys), revocations.clone(), clock.clone(), config.jwt_accept_legacy);
        Ok(Self { keys, lifetime, verifier, revocations, uses: TokenUses::default() })
    }
}
