//! Money: integer cents in the code, a JSON number with at most two decimal places in requests and responses.

use std::iter::Sum;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MAX_CENTS: i64 = 999_999_999;

/// An amount of the account's currency; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    pub cents: i64,
}

impl Money {
    /// Returns the amount. Exact when printed: an `f64` represents every amount of up to 13 digits before the
    /// point to the cent.
    pub fn to_f64(self) -> f64 {
        self.cents as f64 / 100.0
    }

    /// Returns the nearest amount within the bounds.
    pub fn nearest(amount: f64) -> Self {
        Self { cents: ((amount * 100.0).round() as i64).clamp(-MAX_CENTS, MAX_CENTS) }
    }

    pub fn is_in_bounds(amount: f64) -> bool {
        (amount * 100.0).round().abs() <= MAX_CENTS as f64
    }

    /// # Errors
    /// If the amount is out of bounds or has more than two decimal places.
    pub fn parse(amount: f64) -> Result<Self, String> {
        if !Self::is_in_bounds(amount) {
            return Err("must be from -9999999.99 to 9999999.99".into());
        }
        let money = Self::nearest(amount);
        if money.to_f64() == amount { Ok(money) } else { Err("must have at most two decimal places".into()) }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self { cents: amounts.map(|amount| amount.cents).sum() }
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_have_two_decimal_places_and_bounds() {
        assert_eq!(Money::parse(0.1), Ok(Money { cents: 10 }));
        assert_eq!(Money::parse(-9_999_999.99), Ok(Money { cents: -MAX_CENTS }));
        for amount in [0.001, 10_000_000.0, f64::NAN, f64::INFINITY] {
            assert!(Money::parse(amount).is_err(), "{amount}");
        }
    }

    #[test]
    fn ten_thousand_times_ten_cents_is_a_thousand() {
        let sum: Money = std::iter::repeat_n(Money { cents: 10 }, 10_000).sum();
        assert_eq!(serde_json::to_string(&sum).unwrap(), "1000.0");
    }

    proptest! {
        #[test]
        fn every_amount_survives_a_round_trip(cents in -MAX_CENTS..=MAX_CENTS) {
            let text = serde_json::to_string(&Money { cents }).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), Money { cents });
        }
    }
}
