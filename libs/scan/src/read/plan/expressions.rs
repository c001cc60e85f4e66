//! Resolves the expressions of provider configurations, if they are constants or variables.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::document::{Plan, present};
use crate::json::Json;

const MAX_MODULES: usize = 32;

#[derive(Deserialize)]
pub(super) struct Expression {
    constant_value: Option<String>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Deserialize)]
struct Module<'a> {
    #[serde(borrow)]
    variables: Option<HashMap<String, &'a RawValue>>,
    #[serde(borrow)]
    module_calls: Option<HashMap<String, &'a RawValue>>,
}

#[derive(Deserialize)]
struct ModuleCall<'a> {
    #[serde(borrow)]
    expressions: Option<HashMap<String, &'a RawValue>>,
    #[serde(borrow)]
    module: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Variable<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Declared<'a> {
    #[serde(borrow)]
    default: Option<&'a RawValue>,
}

/// The variables of a plan, and the modules that pass them on.
pub(super) struct Variables<'a> {
    values: HashMap<String, Variable<'a>>,
    root: Option<&'a RawValue>,
}

impl<'a> Variables<'a> {
    pub(super) fn of(plan: &Plan<'a>) -> Self {
        let values = present(plan.variables).and_then(|variables| serde_json::from_str(variables.get()).ok());
        let root = plan.configuration.as_ref().and_then(|configuration| present(configuration.root_module));
        Self { values: values.unwrap_or_default(), root }
    }

    /// Returns the value of an expression in a module. The module is given by the names of its calls.
    pub(super) fn resolve(&self, expression: &Expression, module: &[&str]) -> Option<String> {
        if let Some(constant) = &expression.constant_value {
            return Some(constant.clone());
        }
        // A reference to `var.cfg.region` also lists `var.cfg`. Unrelated references mean that the value is
        // composed of several parts, which is not resolved.
        let longest = expression.references.iter().max_by_key(|reference| reference.len())?;
        if !expression.references.iter().all(|reference| longest.starts_with(reference.as_str())) {
            return None;
        }
        let path: Vec<&str> = longest.strip_prefix("var.")?.split('.').collect();
        let (name, fields) = path.split_first()?;
        match module.split_last() {
            None => self.root_variable(name, fields),
            Some(_) if module.len() > MAX_MODULES => None,
            Some((call, parent)) => {
                let found = self.call(parent, call)?;
                match found.expressions.and_then(|expressions| expressions.get(*name).copied()) {
                    Some(passed) if fields.is_empty() => {
                        self.resolve(&serde_json::from_str(passed.get()).ok()?, parent)
                    }
                    Some(_) => None,
                    None => default_of(found.module?, name, fields),
                }
            }
        }
    }

    fn root_variable(&self, name: &str, fields: &[&str]) -> Option<String> {
        match self.values.get(name).and_then(|variable| present(variable.value)) {
            Some(value) => text_at(value, fields),
            None => default_of(self.root?, name, fields),
        }
    }

    fn call(&self, parent: &[&str], call: &str) -> Option<ModuleCall<'a>> {
        let mut module = self.root?;
        for name in parent {
            let calls = serde_json::from_str::<Module<'a>>(module.get()).ok()?.module_calls?;
            module = serde_json::from_str::<ModuleCall<'a>>(calls.get(*name)?.get()).ok()?.module?;
        }
        let calls = serde_json::from_str::<Module<'a>>(module.get()).ok()?.module_calls?;
        serde_json::from_str(calls.get(call)?.get()).ok()
    }
}

fn default_of(module: &RawValue, name: &str, fields: &[&str]) -> Option<String> {
    let variables = serde_json::from_str::<Module<'_>>(module.get()).ok()?.variables?;
    let declared: Declared<'_> = serde_json::from_str(variables.get(name)?.get()).ok()?;
    text_at(present(declared.default)?, fields)
}

fn text_at(value: &RawValue, fields: &[&str]) -> Option<String> {
    let value = Json::parse(value).ok()?;
    let found = fields.iter().try_fold(&value, |value, field| value.get(field))?;
    found.as_str().map(Into::into)
}
