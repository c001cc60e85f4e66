use chrono::{DateTime, Utc};
use contracts::Claims;
use jsonwebtoken::errors::Error;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, OctetKeyPairParameters, OctetKeyPairType,
    ThumbprintHash,
};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};

/// A key that verifies access tokens.
pub(crate) struct VerifyingKey {
    pub(crate) algorithm: Algorithm,
    /// The thumbprint (RFC 7638). `None` for the shared secret, whose tokens do not name a key.
    pub(crate) id: Option<String>,
    /// `None` for the shared secret.
    pub(crate) public: Option<Jwk>,
    /// The time until which an issued key verifies. `None` for a configured one.
    pub(crate) until: Option<DateTime<Utc>>,
    key: DecodingKey,
}

impl VerifyingKey {
    pub(crate) fn from_secret(secret: &str) -> Self {
        let key = DecodingKey::from_secret(secret.as_bytes());
        Self { algorithm: Algorithm::HS256, id: None, public: None, until: None, key }
    }

    pub(crate) fn from_ed25519(key: &DecodingKey) -> Result<Self, Error> {
        Self::from_jwk(Jwk::from_decoding_key(key, Some(Algorithm::EdDSA))?)
    }

    /// Reads an issued key from the `x` of its JWK.
    pub(crate) fn issued(x: &str, until: DateTime<Utc>) -> Result<Self, Error> {
        let parameters = OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x: x.to_owned(),
        };
        let algorithm = AlgorithmParameters::OctetKeyPair(parameters);
        let common = CommonParameters { key_algorithm: Some(Algorithm::EdDSA.into()), ..Default::default() };
        Ok(Self { until: Some(until), ..Self::from_jwk(Jwk { common, algorithm })? })
    }

    pub(crate) fn from_jwk(mut jwk: Jwk) -> Result<Self, Error> {
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(id.clone());
        let key = DecodingKey::from_jwk(&jwk)?;
        Ok(Self { algorithm: Algorithm::EdDSA, id: Some(id), public: Some(jwk), until: None, key })
    }

    /// Whether this key may have signed the token: a token costs one check, however many keys there are.
    pub(crate) fn is_named_by(&self, header: &Header) -> bool {
        self.algorithm == header.alg && self.id == header.kid
    }

    /// Returns the claims if this key signed the token for the issuer and the audience. The caller checks the
    /// times, because it has the clock.
    pub(crate) fn claims(&self, token: &str, issuer: &str, audience: &str) -> Option<Claims> {
        let mut validation = Validation::new(self.algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        jsonwebtoken::decode(token, &self.key, &validation).ok().map(|data| data.claims)
    }

    /// Whether this key signed the token, whatever it says.
    pub(crate) fn signed(&self, token: &str) -> bool {
        let mut signature = Validation::new(self.algorithm);
        signature.required_spec_claims.clear();
        (signature.validate_exp, signature.validate_nbf, signature.validate_aud) = (false, false, false);
        jsonwebtoken::decode::<serde_json::Value>(token, &self.key, &signature).is_ok()
    }
}
