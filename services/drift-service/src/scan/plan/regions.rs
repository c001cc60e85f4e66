//! The regions that a plan's providers are configured with.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::stream::each_field;
use super::{Plan, ScanError};

#[derive(Deserialize)]
struct ProviderConfig<'a> {
    full_name: Option<String>,
    #[serde(borrow)]
    expressions: Option<Expressions<'a>>,
}

#[derive(Deserialize)]
struct Expressions<'a> {
    #[serde(borrow)]
    region: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Constant {
    constant_value: Option<String>,
}

/// The region that each provider is configured with; `None` where its configurations disagree.
pub fn of_providers(plan: &Plan<'_>) -> Result<HashMap<String, Option<String>>, ScanError> {
    let mut regions: HashMap<String, Option<String>> = HashMap::new();
    let providers = plan.configuration.as_ref().and_then(|configuration| configuration.provider_config);
    let Some(providers) = providers else { return Ok(regions) };
    each_field(providers, |key, provider: ProviderConfig<'_>| {
        let region = provider
            .expressions
            .and_then(|expressions| {
                serde_json::from_str::<Constant>(expressions.region?.get()).ok()?.constant_value
            })
            .filter(|region| (1..=64).contains(&region.chars().count()));
        let Some(region) = region else { return Ok(()) };
        regions
            .entry(provider.full_name.unwrap_or(key))
            .and_modify(|known| {
                if known.as_ref() != Some(&region) {
                    *known = None;
                }
            })
            .or_insert(Some(region));
        Ok(())
    })?;
    Ok(regions)
}
