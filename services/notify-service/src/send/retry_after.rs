use std::time::{Duration, SystemTime};

use actix_web::http::header::HttpDate;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest time that a receiver can ask for.
const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the time after which a receiver wants the next attempt. A date counts from the `Date` of the same response,
/// so that different clocks do no harm.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, RETRY_AFTER)?.parse().ok().map(Duration::from_secs);
    let wait = match seconds {
        Some(wait) => wait,
        None => date(headers, RETRY_AFTER)?.duration_since(date(headers, DATE)?).unwrap_or_default(),
    };
    Some(wait.min(MAX))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    text(headers, name)?.parse::<HttpDate>().ok().map(Into::into)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some(0))]
    #[case(" 120 ", Some(120))]
    #[case("86401", Some(86_400))]
    #[case("18446744073709551615", Some(86_400))]
    #[case("Sat, 28 Nov 2026 12:01:30 GMT", Some(90))]
    #[case("Saturday, 28-Nov-26 12:01:30 GMT", Some(90))]
    #[case("Sat, 28 Nov 2026 11:00:00 GMT", Some(0))]
    #[case("Sun, 28 Nov 2027 12:00:00 GMT", Some(86_400))]
    #[case("-1", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn seconds_and_dates_are_read(#[case] value: &'static str, #[case] expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sat, 28 Nov 2026 12:00:00 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        assert_eq!(retry_after(&headers), expected.map(Duration::from_secs));
    }

    #[test]
    fn a_date_without_the_date_of_the_response_is_ignored() {
        let value = HeaderValue::from_static("Sat, 28 Nov 2026 12:01:30 GMT");
        assert_eq!(retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)])), None);
    }
}
