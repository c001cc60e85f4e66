use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A time as PostgreSQL writes it in JSON. A time without a zone is one of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceTime(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for SourceTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let zoned = DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc());
        let time = zoned.or_else(|_error| text.parse::<NaiveDateTime>().map(|time| time.and_utc()));
        // As exact as the databases are.
        time.map(|time| Self(time.trunc_subsecs(6))).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone_are_read() {
        let read =
            |text: &str| serde_json::from_str::<SourceTime>(&format!("{text:?}")).unwrap().0.to_rfc3339();
        assert_eq!(read("2025-03-01T10:00:00.5+02:00"), "2025-03-01T08:00:00.500+00:00");
        assert_eq!(read("2025-03-01T10:00:00.123"), "2025-03-01T10:00:00.123+00:00");
        assert_eq!(read("2025-03-01T10:00:00"), "2025-03-01T10:00:00+00:00");
    }
}
