//! The rules of the console, as people write them.

use std::collections::HashSet;

use contracts::drift::Severity;
use scan::rules::{Class, RulesError, ShortRule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::error::DriftError;

const MAX_RULES: usize = 500;
/// A longer text could not be a key of the table that counts matches.
const MAX_TEXT_BYTES: usize = 2_000;

/// A rule in the short form of the rules file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WrittenRule {
    #[schema(value_type = String, pattern = "^(ignore|volatile|info|warning|critical)$")]
    pub class: Class,
    /// `address` or `address.path`. `*` stands for any characters, and `?` for one character.
    #[validate(
        length(min = 1, max = 512, message = "must have 1 to 512 characters"),
        custom(function = "one_line")
    )]
    #[schema(min_length = 1, max_length = 512)]
    pub pattern: String,
    /// The stacks in which the rule applies, as a pattern; `null` for all
    #[serde(default)]
    #[validate(
        length(min = 1, max = 256, message = "must have 1 to 256 characters"),
        custom(function = "one_line")
    )]
    #[schema(min_length = 1, max_length = 256)]
    pub stack: Option<String>,
    /// The reason for the rule
    #[serde(default)]
    #[validate(
        length(max = 500, message = "must have at most 500 characters"),
        custom(function = "one_line")
    )]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// The complete list of rules that the console keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleSet {
    /// The rules in their order, at most 500. The first rule that matches decides.
    #[validate(custom(function = "are_rules"))]
    #[schema(max_items = 500)]
    pub rules: Vec<WrittenRule>,
    /// The lowest severity that raises an alert; `null` leaves it to the rules file
    #[serde(default)]
    pub alert_threshold: Option<Severity>,
    /// The reason for the change
    #[serde(default)]
    #[validate(length(max = 500), custom(function = "crate::text::storable"))]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

fn one_line(text: &str) -> Result<(), ValidationError> {
    if text.chars().any(char::is_control) || text.trim() != text {
        let message = "must be one line, without spaces at its ends";
        return Err(ValidationError::new("line").with_message(message.into()));
    }
    Ok(())
}

/// Checks the rules and their number. A nested check beside another one of the same field would panic.
pub(super) fn are_rules(rules: &[WrittenRule]) -> Result<(), ValidationError> {
    let refused = |message: String| Err(ValidationError::new("rules").with_message(message.into()));
    if rules.len() > MAX_RULES {
        return refused(format!("must have at most {MAX_RULES} rules"));
    }
    let mut known = HashSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let number = index + 1;
        if let Err(errors) = rule.validate() {
            let first =
                errors.field_errors().into_iter().find_map(|(field, errors)| Some((field, errors.first()?)));
            let (field, error) = first.unzip();
            let message = error.and_then(|error| error.message.clone()).unwrap_or("is not valid".into());
            return refused(format!("rule {number}: {} {message}", field.unwrap_or_default()));
        }
        let text = rule.text();
        if text.len() > MAX_TEXT_BYTES {
            return refused(format!("rule {number} is too long: shorten its pattern or its stack"));
        }
        if !known.insert(text) {
            return refused(format!("rule {number} is listed twice"));
        }
    }
    Ok(())
}

impl WrittenRule {
    pub fn short(&self) -> ShortRule<'_> {
        ShortRule { class: self.class, pattern: &self.pattern, stack: self.stack.as_deref() }
    }

    pub fn text(&self) -> String {
        self.short().text()
    }
}

/// Reads the rules of a stored version.
pub(super) fn read(text: &str) -> Result<Vec<WrittenRule>, serde_json::Error> {
    serde_json::from_str(text)
}

/// A pattern that is no glob is an error of the request.
pub(super) fn refused(error: &RulesError) -> DriftError {
    DriftError::Invalid { field: "rules", message: error.to_string() }
}
