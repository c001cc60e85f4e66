use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use http::ApiError;

/// The years that a [`contracts::Timestamp`] may have.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

/// A month at an offset from UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Month {
    /// As `2026-11`.
    pub name: String,
    pub from: DateTime<Utc>,
    /// Exclusive.
    pub to: DateTime<Utc>,
}

impl Month {
    /// Returns the month of that name, or the current one.
    ///
    /// # Errors
    /// 400 if it is no month, or in the future.
    pub(super) fn new(name: Option<&str>, offset_minutes: i32, now: DateTime<Utc>) -> Result<Self, ApiError> {
        let invalid = |message| ApiError::validation("month", message);
        let offset = TimeDelta::minutes(offset_minutes.into());
        let current = (now + offset).format("%Y-%m").to_string();
        let name = name.unwrap_or(&current);
        let first = first_day(name).ok_or_else(|| invalid("must be a month such as 2026-11"))?;
        let next = first.checked_add_months(Months::new(1));
        let next = next.ok_or_else(|| invalid("must be a month up to the year 9999"))?;
        let at = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc() - offset;
        if at(first) > now {
            return Err(invalid("must not be in the future"));
        }
        Ok(Self { name: name.into(), from: at(first), to: at(next) })
    }
}

fn first_day(name: &str) -> Option<NaiveDate> {
    let (year, month) = name.split_once('-')?;
    let is_exact =
        |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_exact(year, 4) || !is_exact(month, 2) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)?;
    YEARS.contains(&day.year()).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_begins_and_ends_at_midnight_of_its_offset() {
        let now = at("2026-11-30T23:30:00Z");
        let month = Month::new(Some("2026-11"), 60, now).unwrap();
        assert_eq!((month.from, month.to), (at("2026-10-31T23:00:00Z"), at("2026-11-30T23:00:00Z")));
        assert_eq!(Month::new(None, 60, now).unwrap().name, "2026-12");
        assert_eq!(Month::new(None, 0, now).unwrap().name, "2026-11");
        assert!(Month::new(Some("2026-12"), 0, now).is_err());
        assert!(Month::new(Some("9999-12"), 0, at("9999-12-31T00:00:00Z")).is_ok());
        for name in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "+026-11", "1969-12", "2026-11-01"]
        {
            assert!(Month::new(Some(name), 0, now).is_err(), "{name}");
        }
    }
}
