//! The device that opened a session, as its user agent describes it.

use actix_web::HttpRequest;
use actix_web::http::header;
use contracts::events::auth::DeviceInfo;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use woothee::parser::Parser;
use woothee::woothee::VALUE_UNKNOWN;

const MAX_RAW_CHARS: usize = 512;

#[derive(
    Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult, utoipa::ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// `desktop`, `mobile`, `crawler` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The user agent without control characters, cut at 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

impl Device {
    /// The device that sent a request.
    pub fn of_request(request: &HttpRequest) -> Self {
        let user_agent = request.headers().get(header::USER_AGENT).map(|value| value.as_bytes());
        Self::of(user_agent.map(String::from_utf8_lossy).as_deref())
    }

    pub fn of(user_agent: Option<&str>) -> Self {
        let Some(user_agent) = user_agent.filter(|text| !text.is_empty()) else { return Self::default() };
        let raw: String = user_agent.chars().filter(|c| !c.is_control()).take(MAX_RAW_CHARS).collect();
        let known = Parser::new().parse(&raw).map(|found| {
            let kind = match found.category {
                "pc" => "desktop",
                "smartphone" | "mobilephone" => "mobile",
                "crawler" => "crawler",
                _ => "other",
            };
            (name(found.name), name(found.os), kind.to_owned())
        });
        let (browser, os, device) = known.map_or((None, None, None), |(b, o, d)| (b, o, Some(d)));
        Self { browser, os, device, raw: Some(raw) }
    }

    /// The part that is published in events.
    pub fn info(&self) -> DeviceInfo {
        DeviceInfo { browser: self.browser.clone(), os: self.os.clone(), device: self.device.clone() }
    }
}

fn name(found: &str) -> Option<String> {
    (found != VALUE_UNKNOWN).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn desktops_and_phones_are_distinguished() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/131.0.0.0 Safari/537.36";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                     Version/17.5 Mobile/15E148 Safari/604.1";
        let desktop = Device::of(Some(chrome));
        assert_eq!(desktop.browser.as_deref(), Some("Chrome"));
        assert_eq!(desktop.os.as_deref(), Some("Windows 10"));
        assert_eq!(desktop.device.as_deref(), Some("desktop"));
        let mobile = Device::of(Some(phone));
        assert_eq!(mobile.browser.as_deref(), Some("Safari"));
        assert_eq!(mobile.device.as_deref(), Some("mobile"));
    }

    #[test]
    fn an_unknown_agent_is_kept_as_it_is() {
        let device = Device::of(Some("something/1.0"));
        assert_eq!(device, Device { raw: Some("something/1.0".into()), ..Device::default() });
        assert_eq!(Device::of(None), Device::default());
        assert_eq!(Device::of(Some("")), Device::default());
    }

    proptest! {
        #[test]
        fn stored_text_is_bounded_s54(user_agent in any::<String>(), times in 1..50usize) {
            let raw = Device::of(Some(&user_agent.repeat(times))).raw.unwrap_or_default();
            prop_assert!(raw.chars().count() <= 512 && !raw.contains(['\r', '\n', '\0']));
        }
    }
}
