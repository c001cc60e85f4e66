//! The region and account of a plan's providers, from their configurations and from data sources.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::document::{Plan, present};
use super::expressions::{Expression, Variables};
use crate::entry::Provider;
use crate::error::ScanError;
use crate::json::Json;
use crate::place::{arn_part_of, usable_account, usable_region};
use crate::read::stream::{each_field, each_item};

const MAX_MODULE_DEPTH: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    region: Option<String>,
    account: Option<String>,
}

struct Config {
    key: String,
    provider: String,
    place: Place,
}

/// The providers of a plan.
#[derive(Default)]
pub(super) struct Providers {
    configs: Vec<Config>,
    /// The configuration of each resource, by its address without indexes. Read only if a provider has
    /// several.
    of_resource: HashMap<String, String>,
    /// The places that the data sources of a provider report. `None` as a value: they disagree.
    asked: HashMap<String, Option<Place>>,
}

#[derive(Deserialize)]
struct ProviderConfig<'a> {
    name: Option<String>,
    full_name: Option<String>,
    module_address: Option<String>,
    #[serde(borrow)]
    expressions: Option<HashMap<String, &'a RawValue>>,
}

impl Providers {
    pub(super) fn read(plan: &Plan<'_>) -> Result<Self, ScanError> {
        let mut providers = Self::default();
        let configuration = plan.configuration.as_ref();
        if let Some(configs) = configuration.and_then(|configuration| present(configuration.provider_config))
        {
            let variables = Variables::of(plan);
            each_field(configs, |key, config: ProviderConfig<'_>| {
                let provider =
                    config.full_name.clone().or(config.name.clone()).unwrap_or_else(|| key.clone());
                providers.configs.push(Config { place: place_of(&config, &variables), key, provider });
                Ok(())
            })?;
        }
        let root = configuration.and_then(|configuration| present(configuration.root_module));
        if providers.has_aliases()
            && let Some(root) = root
        {
            add_resources(root, "", &mut providers.of_resource, 0)?;
        }
        let prior = plan.prior_state.as_ref().and_then(|state| present(state.values));
        if let Some(values) = prior
            && DATA_SOURCES.iter().any(|(name, ..)| values.get().contains(name))
        {
            let values: Values<'_> = serde_json::from_str(values.get())?;
            providers.ask(values.root_module, 0)?;
        }
        Ok(providers)
    }

    fn has_aliases(&self) -> bool {
        let mut names: Vec<&str> = self.configs.iter().map(|config| config.provider.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|two| two[0] == two[1])
    }

    /// Returns the provider of a resource.
    pub(super) fn of<'a>(&'a self, address: &str, name: Option<&'a str>) -> Provider<'a> {
        let Some(name) = name else { return Provider::default() };
        let mut configs = self.configs.iter().filter(|config| config.provider == name);
        let config = match (configs.next(), configs.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => {
                let key = self.of_resource.get(&without_indexes(address));
                self.configs.iter().find(|config| Some(&config.key) == key)
            }
            _ => None,
        };
        let agreed = self.agreed(name);
        let asked = self.asked.get(name).and_then(Option::as_ref);
        let place = config.map(|config| &config.place);
        let region = place.and_then(|place| place.region.as_deref());
        let account = place.and_then(|place| place.account.as_deref());
        let of =
            |place: Option<&'a Place>| place.map(|place| (place.region.as_deref(), place.account.as_deref()));
        let (agreed_region, agreed_account) = of(agreed).unwrap_or_default();
        let (asked_region, asked_account) = of(asked).unwrap_or_default();
        Provider {
            name: Some(name),
            config: config.map(|config| config.key.as_str()),
            region: region.or(agreed_region).or(asked_region),
            account: account.or(agreed_account).or(asked_account),
        }
    }

    /// Returns the place on which all configurations of a provider agree.
    fn agreed(&self, name: &str) -> Option<&Place> {
        let mut configs = self.configs.iter().filter(|config| config.provider == name);
        let first = &configs.next()?.place;
        configs.all(|config| config.place == *first).then_some(first)
    }

    fn ask(&mut self, module: Option<Module<'_>>, depth: usize) -> Result<(), ScanError> {
        let Some(module) = module.filter(|_| depth <= MAX_MODULE_DEPTH) else { return Ok(()) };
        if let Some(resources) = present(module.resources) {
            each_item(resources, |resource: StateResource<'_>| {
                self.hear(&resource);
                Ok(())
            })?;
        }
        match present(module.child_modules) {
            Some(children) => each_item(children, |child: Module<'_>| self.ask(Some(child), depth + 1)),
            None => Ok(()),
        }
    }

    fn hear(&mut self, resource: &StateResource<'_>) {
        let Some((_, regions, accounts)) = DATA_SOURCES
            .iter()
            .find(|(name, ..)| resource.mode.as_deref() == Some("data") && *name == resource.resource_type)
        else {
            return;
        };
        let (Some(provider), Some(values)) = (&resource.provider_name, present(resource.values)) else {
            return;
        };
        let Ok(values) = Json::parse(values) else { return };
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| values.get(name)?.as_str().filter(|text| !text.is_empty()))
                .map(String::from)
        };
        let heard = Place { region: first(regions), account: first(accounts) };
        let known = self.asked.entry(provider.clone()).or_insert_with(|| Some(Place::default()));
        *known = known.take().and_then(|known| {
            let merge = |one: Option<String>, other: Option<String>| match (one, other) {
                (Some(one), Some(other)) if one != other => Err(()),
                (one, other) => Ok(one.or(other)),
            };
            let region = merge(known.region, heard.region).ok()?;
            Some(Place { region, account: merge(known.account, heard.account).ok()? })
        });
    }
}

/// Data sources that report a provider's place, with their attributes for the region and the account.
const DATA_SOURCES: [(&str, &[&str], &[&str]); 6] = [
    ("aws_caller_identity", &[], &["account_id"]),
    ("aws_region", &["region", "name", "id"], &[]),
    ("google_client_config", &["region"], &["project"]),
    ("google_project", &[], &["project_id"]),
    ("azurerm_client_config", &[], &["subscription_id"]),
    ("azurerm_subscription", &[], &["subscription_id"]),
];

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    root_module: Option<Module<'a>>,
}

#[derive(Deserialize)]
struct Module<'a> {
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    child_modules: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StateResource<'a> {
    mode: Option<String>,
    #[serde(rename = "type", default)]
    resource_type: String,
    provider_name: Option<String>,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
}

fn place_of(config: &ProviderConfig<'_>, variables: &Variables<'_>) -> Place {
    let Some(expressions) = &config.expressions else { return Place::default() };
    let calls: Vec<&str> = config
        .module_address
        .as_deref()
        .unwrap_or_default()
        .split('.')
        .filter(|segment| !segment.is_empty() && *segment != "module")
        .collect();
    let read = |name: &str| {
        let expression: Expression = serde_json::from_str(expressions.get(name)?.get()).ok()?;
        variables.resolve(&expression, &calls)
    };
    let role = || {
        let blocks: Vec<HashMap<String, Expression>> =
            serde_json::from_str(expressions.get("assume_role")?.get()).ok()?;
        let arn = variables.resolve(blocks.first()?.get("role_arn")?, &calls)?;
        arn_part_of(&arn, 4).map(String::from)
    };
    let fits =
        |text: Option<String>, check: fn(&str) -> Option<&str>| text.filter(|text| check(text).is_some());
    Place {
        region: fits(read("region").or_else(|| read("location")), usable_region),
        account: fits(read("project").or_else(|| read("subscription_id")).or_else(role), usable_account),
    }
}

#[derive(Deserialize)]
struct ConfigModule<'a> {
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    module_calls: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ConfigResource {
    address: String,
    provider_config_key: Option<String>,
}

#[derive(Deserialize)]
struct ConfigCall<'a> {
    #[serde(borrow)]
    module: Option<&'a RawValue>,
}

fn add_resources(
    module: &RawValue,
    prefix: &str,
    found: &mut HashMap<String, String>,
    depth: usize,
) -> Result<(), ScanError> {
    if depth > MAX_MODULE_DEPTH {
        return Ok(());
    }
    let module: ConfigModule<'_> = serde_json::from_str(module.get())?;
    if let Some(resources) = present(module.resources) {
        each_item(resources, |resource: ConfigResource| {
            if let Some(key) = resource.provider_config_key {
                found.insert(format!("{prefix}{}", resource.address), key);
            }
            Ok(())
        })?;
    }
    let Some(calls) = present(module.module_calls) else { return Ok(()) };
    each_field(calls, |name, call: ConfigCall<'_>| match call.module {
        Some(module) => add_resources(module, &format!("{prefix}module.{name}."), found, depth + 1),
        None => Ok(()),
    })
}

/// Removes the indexes from an address: `module.m["a"].aws_x.y[0]` becomes `module.m.aws_x.y`.
fn without_indexes(address: &str) -> String {
    let (mut bare, mut depth, mut is_quoted, mut is_escaped) = (String::new(), 0usize, false, false);
    for letter in address.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' if depth > 0 => is_quoted = !is_quoted,
            '[' if !is_quoted => depth += 1,
            ']' if !is_quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(letter),
            _ => {}
        }
    }
    bare
}
