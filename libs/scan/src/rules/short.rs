use super::class::Class;
use super::glob::Address;
use super::rule::Rule;
use super::written::{RulesError, WrittenRule, compile};

/// A rule in the short form: a class and a pattern `address[.path]`. `*` and `?` are special in the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortRule<'a> {
    pub class: Class,
    pub pattern: &'a str,
    /// The stacks of the rule, as a pattern; `None` for all.
    pub stack: Option<&'a str>,
}

impl ShortRule<'_> {
    /// Returns the text that [`Rule::text`] has, such as `ignore: aws_instance.*.tags stack=prod`.
    pub fn text(&self) -> String {
        let stack = self.stack.map(|stack| format!(" stack={stack}")).unwrap_or_default();
        format!("{}: {}{stack}", self.class.into_str(), self.pattern)
    }

    pub(super) fn compile(&self) -> Result<Rule, RulesError> {
        let path = Address::split(self.pattern).path;
        let rule = WrittenRule {
            class: self.class,
            address: Some(Address::of_resource(self.pattern, path).into()),
            module: None,
            resource_type: None,
            stack: self.stack.map(Into::into),
            path: path.map(Into::into),
            from: None,
            to: None,
            kind: None,
        };
        Ok(Rule { text: self.text(), ..compile(rule)? })
    }
}
