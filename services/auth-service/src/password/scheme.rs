//! The stored form of passwords.
//!
//! bcrypt alone reads only 72 bytes, and repeats a short key together with its terminating NUL. `ab` and
//! `ab\0ab` would therefore be the same password. The input of bcrypt is base64(SHA-384(password)) instead:
//! 64 bytes without a NUL. Rows of the old stack hold plain bcrypt, without the prefix.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::{BcryptError, HashParts};
use sha2::{Digest, Sha384};

use crate::password::Password;

const PREFIX: &str = "sha384:";
const MIN_COST: u32 = 4;
/// The highest cost of a hash of another system: about four seconds.
const MAX_FOREIGN_COST: u32 = 16;

/// Returns the stored form of `password`. Takes 2^`cost` steps.
pub(super) fn hash(password: &Password, cost: u32) -> Result<String, BcryptError> {
    Ok(format!("{PREFIX}{}", bcrypt::non_truncating_hash(digest(password), cost)?))
}

/// Whether `password` matches the stored one. Always takes 2^`cost` steps, even if nothing is stored, so that
/// the time reveals nothing about the account.
pub(super) fn verify(password: &Password, stored: Option<&str>, cost: u32) -> Result<bool, BcryptError> {
    let nobodys = nobodys(cost);
    let stored = stored.unwrap_or(&nobodys);
    let right = match stored.strip_prefix(PREFIX) {
        Some(bcrypt_hash) => bcrypt::non_truncating_verify(digest(password), bcrypt_hash)?,
        None => bcrypt::verify(&password.typed, stored)? && !password.typed.contains('\0'),
    };
    // 2^s + 2^s + 2^(s+1) + … + 2^(cost-1) = 2^cost
    for missing in stored_cost(stored)?..cost {
        spend(missing)?;
    }
    Ok(right)
}

/// Whether the stored form is older or cheaper than the output of [`hash`].
pub(super) fn needs_upgrade(stored: &str, cost: u32) -> bool {
    !stored.starts_with(PREFIX) || stored_cost(stored).is_ok_and(|stored| stored < cost)
}

/// Whether a hash of another system can be stored as it is: bcrypt of a bearable cost.
pub fn is_bcrypt(stored: &str) -> bool {
    HashParts::from_str(stored).is_ok_and(|parts| (MIN_COST..=MAX_FOREIGN_COST).contains(&parts.get_cost()))
}

/// The stored form of a password that nobody knows. Its cost is the lowest, which [`verify`] makes up for, so that the
/// time of a failed login does not show it.
pub fn unusable() -> String {
    nobodys(MIN_COST)
}

fn digest(password: &Password) -> String {
    STANDARD.encode(Sha384::digest(&password.normalised))
}

/// A dummy hash. No known password matches it.
fn nobodys(cost: u32) -> String {
    let (salt, hash) = (".".repeat(22), ".".repeat(31));
    format!("{PREFIX}$2b${cost:02}${salt}{hash}")
}

fn stored_cost(stored: &str) -> Result<u32, BcryptError> {
    Ok(HashParts::from_str(stored.strip_prefix(PREFIX).unwrap_or(stored))?.get_cost())
}

fn spend(cost: u32) -> Result<(), BcryptError> {
    bcrypt::hash_with_salt_bytes(b"", cost, [0; 16]).map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    const CHEAP: u32 = 4;

    fn password(typed: &str) -> Password {
        Password::parse(typed).unwrap()
    }

    fn accepts(stored: &str, typed: &str) -> bool {
        verify(&password(typed), Some(stored), CHEAP).unwrap()
    }

    #[test]
    fn a_foreign_hash_is_bcrypt_of_a_bearable_cost() {
        let salt_and_hash = "7/K0oZEh/zYzFe1/hAM8cuu9bHeOPo/ECyI.sFPwKJWseSrBGYNn2";
        for prefix in ["2a", "2b", "2y"] {
            assert!(is_bcrypt(&format!("${prefix}$10${salt_and_hash}")), "{prefix}");
        }
        for foreign in [format!("$2b$17${salt_and_hash}"), "md5:nonsense".into(), unusable()] {
            assert!(!is_bcrypt(&foreign), "{foreign}");
        }
    }

    #[test]
    fn an_unusable_password_costs_no_more_than_any_other() {
        assert_eq!(stored_cost(&unusable()).unwrap(), MIN_COST);
        assert!(!accepts(&unusable(), "a password"));
    }

    #[test]
    fn passwords_that_differ_after_byte_72_differ_s31() {
        let (one, other) = (format!("{}1", "a".repeat(100)), format!("{}2", "a".repeat(100)));
        let stored = hash(&password(&one), CHEAP).unwrap();
        assert!(accepts(&stored, &one));
        assert!(!accepts(&stored, &other));
    }

    #[test]
    fn passwords_of_64_emoji_are_verified_in_full_s32() {
        let stored = hash(&password(&"🦀".repeat(64)), CHEAP).unwrap();
        assert!(accepts(&stored, &"🦀".repeat(64)));
        assert!(!accepts(&stored, &format!("{}🦞", "🦀".repeat(63))));
    }

    #[test]
    fn nul_is_a_character_like_any_other_s33() {
        let forms = ["passwordp", "passwordp\0", "passwordp\0passwordp"];
        for kept in forms {
            let stored = hash(&password(kept), CHEAP).unwrap();
            for typed in forms {
                assert_eq!(accepts(&stored, typed), kept == typed, "{kept:?} kept, {typed:?} typed");
            }
        }
    }

    #[test]
    fn nul_does_not_open_a_row_of_the_old_stack_s33() {
        let stored = bcrypt::hash("passwordp", CHEAP).unwrap();
        assert!(bcrypt::verify("passwordp\0passwordp", &stored).unwrap(), "what bcrypt alone accepts");
        assert!(!accepts(&stored, "passwordp\0passwordp"));
    }

    #[test]
    fn composed_and_decomposed_passwords_are_equal_s34() {
        let stored = hash(&password("caf\u{e9} au lait"), CHEAP).unwrap();
        assert!(accepts(&stored, "cafe\u{301} au lait"));
    }

    #[test]
    fn a_row_of_the_old_stack_is_verified_and_due_for_an_upgrade_s36() {
        // Created by Node's bcrypt 6.0.0: hashSync('old stack secret', 4).
        let node = "$2b$04$ZVUZ7gUebsDaeOxwOlmoK.Cy0bWnfQUVyWN/MLK9vo50d4HO5y/Vm";
        let same_as_2a = node.replacen("$2b$", "$2a$", 1);
        for stored in [node, &same_as_2a] {
            assert!(accepts(stored, "old stack secret"));
            assert!(!accepts(stored, "old stack Secret"));
            assert!(needs_upgrade(stored, CHEAP));
        }
    }

    #[test]
    fn only_a_lower_cost_is_upgraded_s36() {
        let stored = hash(&password("a password"), 5).unwrap();
        assert!(needs_upgrade(&stored, 6));
        assert!(!needs_upgrade(&stored, 5));
        assert!(!needs_upgrade(&stored, 4));
    }

    #[test]
    fn no_password_matches_a_missing_account() {
        assert!(!verify(&password("a password"), None, CHEAP).unwrap());
    }

    #[test]
    fn verification_time_reveals_nothing_about_the_stored_hash_s41() {
        const COST: u32 = 9;
        let typed = password("a password");
        let other = password("another password");
        let stored = [
            None,
            Some(hash(&other, COST).unwrap()),
            Some(hash(&other, CHEAP).unwrap()),
            Some(bcrypt::hash("another password", CHEAP).unwrap()),
        ];
        let mut times = stored.each_ref().map(|_| Vec::new());
        for _ in 0..9 {
            for (stored, times) in stored.iter().zip(&mut times) {
                let started = Instant::now();
                assert!(!verify(&typed, stored.as_deref(), COST).unwrap());
                times.push(started.elapsed());
            }
        }
        let medians = times.map(|mut times| {
            times.sort();
            times[times.len() / 2]
        });
        let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
        // Code that skips the work, or does it twice, deviates by far more.
        assert!(*most < least.mul_f64(1.6), "{medians:?}");
    }

    #[test]
    fn a_damaged_row_is_an_error_and_not_a_match() {
        for stored in ["", "sha384:", "plain text", "$2b$10$short"] {
            assert!(verify(&password("plain text"), Some(stored), CHEAP).is_err(), "{stored:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn only_the_same_password_matches_s31(one in ".{8,40}", other in ".{8,40}") {
            if let (Ok(one), Ok(other)) = (Password::parse(&one), Password::parse(&other)) {
                let stored = hash(&one, CHEAP).unwrap();
                prop_assert!(verify(&one, Some(&stored), CHEAP).unwrap());
                let same = one.normalised == other.normalised;
                prop_assert_eq!(verify(&other, Some(&stored), CHEAP).unwrap(), same);
            }
        }
    }
}
