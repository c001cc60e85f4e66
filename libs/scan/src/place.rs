//! Finds the id, region and account of a resource.

use contracts::AccountId;

use crate::entry::Entry;
use crate::json::Json;

const NUL: char = '\0';
const MAX_REGION_CHARS: usize = 64;

/// The sources of information about a resource, the most reliable first.
pub(crate) struct PlaceSources<'a> {
    actual: Option<&'a Json>,
    expected: Option<&'a Json>,
    own_id: Option<&'a str>,
    provider_region: Option<&'a str>,
    provider_account: Option<&'a str>,
    is_google: bool,
    is_azure: bool,
}

impl<'a> PlaceSources<'a> {
    pub(crate) fn of(entry: &'a Entry<'_>) -> Self {
        Self {
            actual: entry.actual.as_ref(),
            expected: entry.expected.as_ref(),
            own_id: entry.resource_id.as_deref(),
            provider_region: entry.provider.region,
            provider_account: entry.provider.account,
            is_google: entry.resource_type.starts_with("google_"),
            is_azure: entry.resource_type.starts_with("azurerm_")
                || entry.resource_type.starts_with("azapi_"),
        }
    }

    /// Returns the `id` in the state.
    pub(crate) fn id(&self, max_chars: usize) -> Option<&'a str> {
        self.each(|state| usable(state.get("id")?.as_str()?, max_chars))
    }

    /// Returns the region. `asked` is the caller's, used if no other source has one.
    pub(crate) fn region(&self, asked: Option<&str>) -> Option<String> {
        let found = self.each(|state| self.region_in(state)).map(Into::into);
        let region: Option<String> = found
            .or_else(|| self.own_id.and_then(|id| self.region_of_id(id)).map(Into::into))
            .or_else(|| self.provider_region.and_then(usable_region).map(Into::into))
            .or_else(|| asked.map(Into::into));
        // Azure uses both "West Europe" and "westeurope".
        region.map(|region| {
            let is_spelled_out = self.is_azure && region.contains(' ');
            if is_spelled_out { region.replace(' ', "").to_lowercase() } else { region }
        })
    }

    /// Returns the account. `asked` is the caller's, used if no other source has one.
    pub(crate) fn account(&self, asked: Option<&str>) -> Option<String> {
        let found = self.each(|state| self.account_in(state));
        found
            .or_else(|| self.own_id.and_then(|id| self.account_of_id(id)))
            .or_else(|| self.provider_account.and_then(usable_account))
            .or(asked)
            .map(Into::into)
    }

    fn region_in(&self, state: &'a Json) -> Option<&'a str> {
        let attribute = |name: &str| usable_region(last_segment(state.get(name)?.as_str()?));
        attribute("region")
            .map(|region| self.region_of(region))
            .or_else(|| arn_part(state, 3).and_then(usable_region))
            .or_else(|| attribute("availability_zone").map(region_of_aws_zone))
            .or_else(|| attribute("zone").filter(|_| self.is_google).map(|zone| self.region_of(zone)))
            .or_else(|| attribute("location").map(|location| self.region_of(location)))
            .or_else(|| {
                ["id", "self_link", "name"]
                    .into_iter()
                    .find_map(|name| self.region_of_id(state.get(name)?.as_str()?))
            })
    }

    fn account_in(&self, state: &'a Json) -> Option<&'a str> {
        let attribute = |name: &str| usable_account(state.get(name)?.as_str()?);
        let ids = || {
            let Json::Object(fields) = state else { return None };
            let is_id = |name: &str| name == "id" || name == "self_link" || name.ends_with("_id");
            fields
                .iter()
                .filter(|(name, _)| is_id(name))
                .find_map(|(_, value)| self.account_of_id(value.as_str()?))
        };
        let owner = || {
            ["owner_id", "account_id", "aws_account_id"].into_iter().find_map(|name| {
                attribute(name).filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()))
            })
        };
        arn_part(state, 4)
            .and_then(usable_account)
            .or_else(|| if self.is_google { attribute("project").map(last_segment) } else { None })
            .or_else(|| if self.is_azure { attribute("subscription_id").map(last_segment) } else { None })
            .or_else(owner)
            .or_else(ids)
    }

    /// Returns the region in an ARN, or in Google's `projects/p/zones/z/…`.
    fn region_of_id(&self, id: &'a str) -> Option<&'a str> {
        let part = arn_part_of(id, 3).and_then(usable_region);
        part.or_else(|| {
            let place =
                after(id, "zones").or_else(|| after(id, "regions")).or_else(|| after(id, "locations"));
            place.filter(|_| self.is_google).and_then(usable_region).map(|place| self.region_of(place))
        })
    }

    fn account_of_id(&self, id: &'a str) -> Option<&'a str> {
        arn_part_of(id, 4)
            .or_else(|| after(id, "subscriptions"))
            .or_else(|| after(id, "projects").filter(|_| self.is_google))
            .and_then(usable_account)
    }

    /// Returns the region of a Google location: a zone is `region-letter`, any other location is a region.
    fn region_of(&self, place: &'a str) -> &'a str {
        match place.rsplit_once('-') {
            Some((region, zone))
                if self.is_google
                    && zone.len() == 1
                    && region.ends_with(|digit: char| digit.is_ascii_digit()) =>
            {
                region
            }
            _ => place,
        }
    }

    fn each<T>(&self, find: impl Fn(&'a Json) -> Option<T>) -> Option<T> {
        [self.actual, self.expected].into_iter().flatten().find_map(find)
    }
}

fn usable(text: &str, max_chars: usize) -> Option<&str> {
    (!text.is_empty() && !text.contains(NUL) && text.chars().count() <= max_chars).then_some(text)
}

pub(crate) fn usable_region(text: &str) -> Option<&str> {
    usable(text, MAX_REGION_CHARS).filter(|text| *text != "global" && *text != "unknown")
}

pub(crate) fn usable_account(text: &str) -> Option<&str> {
    Some(text).filter(|text| AccountId::is_valid(text))
}

fn last_segment(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// Returns the segment that follows another one in a path.
fn after<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let mut segments = path.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case(name))?;
    segments.next().filter(|segment| !segment.is_empty())
}

/// Returns a part of the state's ARN, counted from 0: `arn:partition:service:region:account:…`.
fn arn_part(state: &Json, part: usize) -> Option<&str> {
    ["arn", "id"].into_iter().find_map(|name| arn_part_of(state.get(name)?.as_str()?, part))
}

pub(crate) fn arn_part_of(text: &str, part: usize) -> Option<&str> {
    text.strip_prefix("arn:")?.split(':').nth(part - 1).filter(|part| !part.is_empty() && *part != "aws")
}

/// Returns the region of an AWS zone: `us-east-1` for `us-east-1a` and for the local zone `us-east-1-bos-1a`.
fn region_of_aws_zone(zone: &str) -> &str {
    let mut ends = zone.match_indices(|letter: char| letter.is_ascii_digit());
    match ends.next() {
        Some((at, _))
            if zone[at + 1..].starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '-') =>
        {
            &zone[..=at]
        }
        _ => zone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Provider;
    use contracts::drift::Kind;

    fn place(
        resource_type: &str,
        state: serde_json::Value,
        provider: Provider<'_>,
        asked: [Option<&str>; 2],
    ) -> [Option<String>; 2] {
        let mut entry = Entry::new(Kind::Changed, "a.b".into(), resource_type.into());
        entry.actual = Some(Json::parse_text(&state.to_string()).unwrap());
        entry.provider = provider;
        let sources = PlaceSources::of(&entry);
        [sources.region(asked[0]), sources.account(asked[1])]
    }

    #[test]
    fn the_first_source_that_knows_the_place_decides() {
        let none = Provider::default();
        let arn = "arn:aws:rds:eu-west-1:123456789012:db:x";
        let azure = "/subscriptions/1111-2222/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";
        for (resource_type, state, region, account) in [
            (
                "aws_x",
                serde_json::json!({"region": "us-east-1", "arn": arn}),
                Some("us-east-1"),
                Some("123456789012"),
            ),
            (
                "aws_x",
                serde_json::json!({"arn": arn, "availability_zone": "us-west-2b"}),
                Some("eu-west-1"),
                Some("123456789012"),
            ),
            ("aws_x", serde_json::json!({"availability_zone": "us-west-2b"}), Some("us-west-2"), None),
            ("aws_x", serde_json::json!({"availability_zone": "us-west-2-lax-1a"}), Some("us-west-2"), None),
            ("aws_x", serde_json::json!({"id": arn}), Some("eu-west-1"), Some("123456789012")),
            ("aws_x", serde_json::json!({"owner_id": "123456789012"}), None, Some("123456789012")),
            (
                "google_x",
                serde_json::json!({"zone": "europe-west3-b", "project": "p"}),
                Some("europe-west3"),
                Some("p"),
            ),
            ("google_x", serde_json::json!({"location": "us-east1-b"}), Some("us-east1"), None),
            ("google_x", serde_json::json!({"location": "us-east1"}), Some("us-east1"), None),
            (
                "google_x",
                serde_json::json!({"id": "projects/p/locations/us-east1/x"}),
                Some("us-east1"),
                Some("p"),
            ),
            (
                "google_x",
                serde_json::json!({"zone": "https://www.googleapis.com/compute/v1/projects/p/zones/us-east1-b"}),
                Some("us-east1"),
                None,
            ),
            (
                "azurerm_x",
                serde_json::json!({"id": azure, "location": "West Europe"}),
                Some("westeurope"),
                Some("1111-2222"),
            ),
            (
                "azurerm_x",
                serde_json::json!({"id": "x", "virtual_network_id": azure}),
                None,
                Some("1111-2222"),
            ),
            ("null_resource", serde_json::json!({"id": "1"}), None, None),
            ("aws_x", serde_json::json!({"region": ""}), None, None),
        ] {
            let found = place(resource_type, state.clone(), none, [None, None]);
            assert_eq!(found, [region.map(Into::into), account.map(Into::into)], "{resource_type} {state}");
        }
        let provider = Provider { region: Some("provider"), account: Some("1"), ..none };
        let asked = [Some("asked"), Some("2")];
        assert_eq!(
            place("x", serde_json::json!({}), provider, asked),
            [Some("provider".into()), Some("1".into())]
        );
        assert_eq!(place("x", serde_json::json!({}), none, asked), [Some("asked".into()), Some("2".into())]);
    }
}
