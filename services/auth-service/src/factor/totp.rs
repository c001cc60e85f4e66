//! The codes of authenticator apps (RFC 6238): six digits, 30 seconds, SHA-1, which all apps support.

use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use totp_rs::{Builder, Secret, Totp};

const SECRET_BYTES: usize = 20;
const ISSUER: &str = "DriftSentry";
/// A code of the step before or after the current one is accepted too, because clocks differ.
const SKEW: u16 = 1;
const QR_PIXELS: u32 = 200;

/// The secret that an app shares with this service.
#[derive(Clone)]
pub struct TotpSecret(Vec<u8>);

impl TotpSecret {
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self> {
        let mut bytes = vec![0; SECRET_BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| anyhow!("no randomness"))?;
        Ok(Self(bytes))
    }

    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key that a person types if the app cannot scan the QR code.
    pub fn base32(&self) -> String {
        Secret::from(self.0.as_slice()).to_base32()
    }

    /// The `otpauth://` address for an app.
    ///
    /// # Errors
    /// If the secret is too short.
    pub fn uri(&self, account: &str) -> Result<String> {
        // A colon ends the issuer.
        let totp = self.totp(&account.replace(':', "_"))?;
        totp.to_url().map_err(|error| anyhow!("{error:?}"))
    }

    /// Returns the step of a code that is valid at `now` and later than `last`. Each step is thus accepted once.
    ///
    /// # Errors
    /// If the secret is too short.
    pub fn step_of(&self, code: &str, now: DateTime<Utc>, last: i64) -> Result<Option<i64>> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let step = self.totp("account")?.check(&code, seconds);
        Ok(step.and_then(|step| i64::try_from(step).ok()).filter(|step| *step > last))
    }

    fn totp(&self, account: &str) -> Result<Totp> {
        let builder = Builder::new().with_secret(self.0.as_slice()).with_skew(SKEW);
        let builder = builder.with_issuer(Some(ISSUER)).with_account_name(account);
        builder.build().map_err(|error| anyhow!("{error:?}"))
    }
}

/// Draws a QR code as SVG.
///
/// # Errors
/// If the text is too long.
pub fn qr_code(text: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(QR_PIXELS, QR_PIXELS).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890".to_vec())
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_codes_of_the_standard_are_accepted_in_their_step_and_one_beside_it() {
        for (seconds, code) in
            [(1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            let step = seconds / 30;
            for skew in [-30, 0, 30] {
                assert_eq!(secret().step_of(code, at(seconds + skew), 0).unwrap(), Some(step), "{code}");
            }
            assert_eq!(secret().step_of(code, at(seconds + 60), 0).unwrap(), None);
            assert_eq!(secret().step_of(code, at(seconds - 60), 0).unwrap(), None);
        }
        assert_eq!(secret().step_of("287 082", at(59), 0).unwrap(), Some(1));
    }

    #[test]
    fn a_step_is_accepted_once_and_no_earlier_one_after_it() {
        assert_eq!(secret().step_of("287082", at(59), 1).unwrap(), None);
        assert_eq!(secret().step_of("287082", at(59), 2).unwrap(), None);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "28708", "2870822", "28708a", "２８７０８２", "\u{0}287082"] {
            assert_eq!(secret().step_of(typed, at(59), 0).unwrap(), None, "{typed}");
        }
    }

    #[test]
    fn an_app_gets_the_secret_in_its_address_and_as_a_picture() {
        let uri = secret().uri("ann:x@example.com").unwrap();
        assert!(uri.starts_with("otpauth://totp/DriftSentry:ann_x%40example.com?"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
        assert!(qr_code(&uri).unwrap().contains("<svg"));
        assert_ne!(TotpSecret::generate().unwrap().base32(), TotpSecret::generate().unwrap().base32());
    }
}
