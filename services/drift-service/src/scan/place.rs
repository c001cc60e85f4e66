//! Where a resource is: its id, region and account, as far as its state tells.

use super::json::Json;
use super::taint::Taint;
use crate::text::NUL;

const UNKNOWN_REGION: &str = "unknown";
const MAX_REGION_CHARS: usize = 64;
const MAX_ACCOUNT_CHARS: usize = 64;
const MAX_RESOURCE_ID_CHARS: usize = 1024;

/// What is known of a resource, best witness first. Nothing that is a secret becomes a place.
pub struct Witnesses<'a> {
    pub actual: Option<&'a Json>,
    pub expected: Option<&'a Json>,
    pub taint: &'a Taint,
}

impl<'a> Witnesses<'a> {
    /// The state's `id`, else its address.
    pub fn resource_id(&self, address: &str) -> String {
        let id = self.each(|state| self.usable(state.get("id")?.as_str()?, MAX_RESOURCE_ID_CHARS));
        id.unwrap_or(address).into()
    }

    /// `fallbacks` are the provider's configuration and what the uploader said, in this order.
    pub fn region(&self, fallbacks: [Option<&str>; 2]) -> String {
        let region = self.each(|state| {
            let attribute = |name: &str| self.usable(state.get(name)?.as_str()?, MAX_REGION_CHARS);
            attribute("region")
                .or_else(|| self.usable(arn_part(state, 3)?, MAX_REGION_CHARS))
                .or_else(|| attribute("availability_zone").map(region_of_zone))
                .or_else(|| attribute("location"))
        });
        region.or_else(|| fallbacks.into_iter().flatten().next()).unwrap_or(UNKNOWN_REGION).into()
    }

    /// The account in the state's ARN.
    pub fn account_id(&self) -> Option<String> {
        self.each(|state| self.usable(arn_part(state, 4)?, MAX_ACCOUNT_CHARS)).map(Into::into)
    }

    fn each<'s>(&'s self, find: impl Fn(&'a Json) -> Option<&'a str> + 's) -> Option<&'a str> {
        [self.actual, self.expected].into_iter().flatten().find_map(find)
    }

    fn usable<'t>(&self, text: &'t str, max_chars: usize) -> Option<&'t str> {
        let fits = !text.is_empty() && !text.contains(NUL) && text.chars().count() <= max_chars;
        (fits && !self.taint.reaches(text)).then_some(text)
    }
}

/// A part of the state's ARN, counted from 0: `arn:partition:service:region:account:…`.
fn arn_part(state: &Json, part: usize) -> Option<&str> {
    ["arn", "id"]
        .into_iter()
        .filter_map(|name| state.get(name)?.as_str())
        .find(|text| text.starts_with("arn:"))?
        .split(':')
        .nth(part)
        .filter(|text| !text.is_empty())
}

/// `us-east-1a` is in `us-east-1`.
fn region_of_zone(zone: &str) -> &str {
    match zone.strip_suffix(|letter: char| letter.is_ascii_lowercase()) {
        Some(region) if region.ends_with(|digit: char| digit.is_ascii_digit()) => region,
        _ => zone,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::to_raw_value};

    use super::super::taint::TaintCollector;
    use super::*;

    fn region(state: serde_json::Value, fallbacks: [Option<&str>; 2]) -> String {
        let state = Json::parse(&to_raw_value(&state).unwrap()).unwrap();
        let taint = Taint::nothing();
        Witnesses { actual: Some(&state), expected: None, taint: &taint }.region(fallbacks)
    }

    #[test]
    fn the_region_comes_from_the_first_witness_that_knows_it() {
        let arn = "arn:aws:rds:eu-west-1:123456789012:db:x";
        assert_eq!(region(json!({"region": "us-east-1", "arn": arn}), [None, None]), "us-east-1");
        assert_eq!(region(json!({"arn": arn, "availability_zone": "us-west-2b"}), [None, None]), "eu-west-1");
        assert_eq!(region(json!({"arn": "arn:aws:s3:::bucket"}), [None, Some("eu-north-1")]), "eu-north-1");
        assert_eq!(region(json!({"availability_zone": "us-west-2b"}), [None, None]), "us-west-2");
        assert_eq!(region(json!({"location": "westeurope"}), [Some("x"), None]), "westeurope");
        assert_eq!(region(json!({}), [Some("provider"), Some("asked")]), "provider");
        assert_eq!(region(json!({}), [None, Some("asked")]), "asked");
        assert_eq!(region(json!({"region": ""}), [None, None]), "unknown");
    }

    #[test]
    fn a_secret_is_never_an_id() {
        let state = Json::parse(&to_raw_value(&json!({"id": "key-hunter22"})).unwrap()).unwrap();
        let mut secrets = TaintCollector::default();
        secrets.add_all(&Json::String("hunter22".into()));
        let taint = secrets.finish().unwrap();
        let witnesses = Witnesses { actual: Some(&state), expected: None, taint: &taint };
        assert_eq!(witnesses.resource_id("aws_x.y"), "aws_x.y");
    }
}
