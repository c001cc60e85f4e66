//! The events that a destination wants.

use contracts::drift::Severity;
use globset::{Glob, GlobMatcher};
use http::ApiError;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::{Event, Traits};

const MAX_PATTERNS: usize = 50;
const MAX_PATTERN: usize = 256;

/// Every part must fit. A part without values fits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// Patterns of event types, such as `drift:created` or `alert:*`
    #[schema(max_items = 50)]
    pub events: Vec<String>,
    /// Events with a lower severity are left out; events without one pass
    pub min_severity: Option<Severity>,
    /// Patterns of names of stacks, such as `prod-*`; events without a stack are then left out
    #[schema(max_items = 50)]
    pub stacks: Vec<String>,
    /// Ids of accounts; events without an account are then left out
    #[schema(max_items = 50)]
    pub accounts: Vec<String>,
}

impl Rules {
    /// # Errors
    /// 400, which names the field.
    pub fn check(&self) -> Result<(), ApiError> {
        for (field, patterns) in [
            ("rules.events", &self.events),
            ("rules.stacks", &self.stacks),
            ("rules.accounts", &self.accounts),
        ] {
            if patterns.len() > MAX_PATTERNS {
                return Err(ApiError::validation(field, "must have at most 50 values"));
            }
            let is_usable = |text: &String| (1..=MAX_PATTERN).contains(&text.len()) && !text.contains('\0');
            if !patterns.iter().all(is_usable) {
                return Err(ApiError::validation(field, "must have values of 1 to 256 characters"));
            }
        }
        for (field, patterns) in [("rules.events", &self.events), ("rules.stacks", &self.stacks)] {
            if patterns.iter().any(|pattern| Glob::new(pattern).is_err()) {
                return Err(ApiError::validation(field, "must have patterns such as prod-*"));
            }
        }
        Ok(())
    }
}

/// Rules that are ready to be compared with events.
pub struct Matcher {
    events: Vec<GlobMatcher>,
    stacks: Vec<GlobMatcher>,
    accounts: Vec<String>,
    min_severity: Option<Severity>,
}

impl Matcher {
    pub fn new(rules: &Rules) -> Self {
        // Patterns that are none were refused when they were saved.
        let globs = |patterns: &[String]| {
            patterns
                .iter()
                .filter_map(|text| Glob::new(text).ok())
                .map(|glob| glob.compile_matcher())
                .collect()
        };
        Self {
            events: globs(&rules.events),
            stacks: globs(&rules.stacks),
            accounts: rules.accounts.clone(),
            min_severity: rules.min_severity,
        }
    }

    pub fn wants(&self, event: &Event, traits: &Traits<'_>) -> bool {
        let fits = |globs: &[GlobMatcher], text: Option<&str>| {
            globs.is_empty() || text.is_some_and(|text| globs.iter().any(|glob| glob.is_match(text)))
        };
        let account = event.account_id.as_deref();
        let is_severe = || match (self.min_severity, traits.severity) {
            (Some(least), Some(severity)) => severity >= least,
            _ => true,
        };
        fits(&self.events, Some(&event.event_type))
            && fits(&self.stacks, traits.stack)
            && (self.accounts.is_empty()
                || account.is_some_and(|account| self.accounts.iter().any(|wanted| wanted == account)))
            && is_severe()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::event_of;

    fn wants(rules: serde_json::Value, event: &Event) -> bool {
        let rules: Rules = serde_json::from_value(rules).unwrap();
        rules.check().unwrap();
        Matcher::new(&rules).wants(event, &Traits::of(event))
    }

    #[test]
    fn every_part_must_fit_and_an_empty_one_fits_all() {
        let payload = json!({"id": "1", "stack": "prod-eu", "severity": "warning"});
        let event = Event { account_id: Some("acme".into()), ..event_of("drift:created", payload) };
        for (rules, expected) in [
            (json!({}), true),
            (json!({"events": ["drift:created"]}), true),
            (json!({"events": ["alert:*", "drift:*"]}), true),
            (json!({"events": ["alert:*"]}), false),
            (json!({"stacks": ["prod-*"]}), true),
            (json!({"stacks": ["test-*"]}), false),
            (json!({"minSeverity": "warning"}), true),
            (json!({"minSeverity": "critical"}), false),
            (json!({"accounts": ["acme"]}), true),
            (json!({"accounts": ["other"]}), false),
            (json!({"events": ["drift:*"], "stacks": ["prod-*"], "minSeverity": "critical"}), false),
        ] {
            assert_eq!(wants(rules.clone(), &event), expected, "{rules}");
        }
        let bare = event_of("auth:user.login", json!({"userId": "u"}));
        for (rules, expected) in [
            (json!({"minSeverity": "critical"}), true),
            (json!({"stacks": ["*"]}), false),
            (json!({"accounts": ["acme"]}), false),
        ] {
            assert_eq!(wants(rules.clone(), &bare), expected, "{rules}");
        }
    }

    #[test]
    fn rules_are_bounded() {
        for rules in [
            json!({"events": vec!["a"; 51]}),
            json!({"stacks": ["x".repeat(257)]}),
            json!({"stacks": [""]}),
            json!({"accounts": ["a\0"]}),
            json!({"events": ["[a"]}),
        ] {
            let parsed: Rules = serde_json::from_value(rules.clone()).unwrap();
            assert!(parsed.check().is_err(), "{rules}");
        }
        assert!(serde_json::from_value::<Rules>(json!({"event": []})).is_err());
    }
}
