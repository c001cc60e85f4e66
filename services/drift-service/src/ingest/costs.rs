//! The monthly costs of the resources of a plan, as Infracost estimates them beside the plan.
//!
//! In the file, `pastBreakdown` has the real resources and `breakdown` those of the configuration, because Terraform
//! refreshes the prior state of a plan. The cost of a drift is the cost of the real resource without that of the
//! declared one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use contracts::drift::Kind;
use scan::Finding;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::DriftError;
use crate::money::Money;

/// Maximum number of resources of each breakdown.
const MAX_RESOURCES: usize = 50_000;
const MAX_NAME_BYTES: usize = 2_048;
const VERSION: &str = "0.2";
const CURRENCY: &str = "USD";
const ADVICE: &str =
    "send the output of `infracost breakdown --format json` or `infracost diff --format json`";

/// The known costs of drifts.
#[derive(Debug, Default)]
pub enum Costs {
    #[default]
    Unknown,
    /// The cost of a single report.
    Given(Money),
    /// The estimates of Infracost, by address.
    Estimated(HashMap<String, Estimate>),
}

/// The monthly costs of one resource; `None` if there is no such resource, or no price.
#[derive(Clone, Copy, Debug, Default)]
pub struct Estimate {
    actual: Option<f64>,
    declared: Option<f64>,
}

impl Costs {
    /// Returns the monthly cost of a drift if it is known.
    pub fn of(&self, finding: &Finding) -> Option<Money> {
        match self {
            Self::Unknown => None,
            Self::Given(cost) => Some(*cost),
            Self::Estimated(estimates) => estimates.get(&finding.address)?.impact(finding.kind),
        }
    }
}

impl Estimate {
    /// Equal costs of a changed resource mean nothing: the plan may leave the drift as it is.
    fn impact(self, kind: Kind) -> Option<Money> {
        let amount = match (kind, self.actual, self.declared) {
            (Kind::Changed, Some(actual), Some(declared)) if actual != declared => actual - declared,
            (Kind::Missing, _, Some(declared)) => -declared,
            (Kind::Unmanaged, Some(actual), _) => actual,
            _ => return None,
        };
        Some(Money::nearest(amount))
    }
}

/// An upload of a plan with its costs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    plan: &'a RawValue,
    #[serde(borrow)]
    infracost: &'a RawValue,
}

#[derive(Deserialize)]
struct Root<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    projects: Vec<Project<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project<'a> {
    #[serde(borrow)]
    past_breakdown: Option<Breakdown<'a>>,
    #[serde(borrow)]
    breakdown: Option<Breakdown<'a>>,
}

#[derive(Deserialize)]
struct Breakdown<'a> {
    #[serde(borrow, deserialize_with = "resources")]
    resources: Vec<Resource<'a>>,
}

/// A resource; its cost contains that of its subresources.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    /// A decimal number; `None` if the cost depends on the usage.
    #[serde(borrow)]
    monthly_cost: Option<Cow<'a, str>>,
}

/// Reads a list or `null`. Keeps one resource more than allowed at most.
fn resources<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Resource<'a>>, D::Error> {
    struct Resources;

    impl<'de> Visitor<'de> for Resources {
        type Value = Vec<Resource<'de>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of resources")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut kept = Vec::new();
            while let Some(resource) = list.next_element()? {
                if kept.len() <= MAX_RESOURCES {
                    kept.push(resource);
                }
            }
            Ok(kept)
        }
    }

    deserializer.deserialize_any(Resources)
}

/// Returns the plan of an upload, and the costs beside it, if any.
///
/// # Errors
/// If the costs cannot be read. The message quotes nothing of the upload.
pub(super) fn split(upload: &[u8]) -> Result<(&[u8], Costs), DriftError> {
    match serde_json::from_slice::<Envelope<'_>>(upload) {
        Ok(Envelope { plan, infracost }) => Ok((plan.get().as_bytes(), read(infracost.get())?)),
        // Not an envelope, but a plan.
        Err(_) => Ok((upload, Costs::Unknown)),
    }
}

/// Refuses costs beside several plans, because only one of them may have the address of an estimate.
pub(super) fn check_count(costs: &Costs, plans: usize) -> Result<(), DriftError> {
    match costs {
        Costs::Estimated(_) if plans != 1 => {
            Err(invalid("must be beside one plan; send each plan with its own costs".into()))
        }
        _ => Ok(()),
    }
}

fn read(text: &str) -> Result<Costs, DriftError> {
    let root: Root<'_> = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        invalid(format!("cannot be read: its line {line}, column {column} is unexpected; {ADVICE}"))
    })?;
    if root.version != VERSION {
        return Err(invalid(format!("must have the version {VERSION}; {ADVICE}")));
    }
    if root.currency != CURRENCY {
        return Err(invalid(format!(
            "must be in {CURRENCY}; run `infracost configure set currency {CURRENCY}` and estimate again"
        )));
    }
    let Ok([project]) = <[Project<'_>; 1]>::try_from(root.projects) else {
        return Err(invalid("must have one project, that of the plan".into()));
    };
    let mut estimates: HashMap<String, Estimate> = HashMap::new();
    add(&mut estimates, project.past_breakdown, |estimate| &mut estimate.actual)?;
    add(&mut estimates, project.breakdown, |estimate| &mut estimate.declared)?;
    Ok(Costs::Estimated(estimates))
}

fn add(
    estimates: &mut HashMap<String, Estimate>,
    breakdown: Option<Breakdown<'_>>,
    side: fn(&mut Estimate) -> &mut Option<f64>,
) -> Result<(), DriftError> {
    let resources = breakdown.map(|breakdown| breakdown.resources).unwrap_or_default();
    if resources.len() > MAX_RESOURCES {
        return Err(invalid(format!("has more than {MAX_RESOURCES} resources; split the stack")));
    }
    for Resource { name, monthly_cost } in resources {
        if name.len() > MAX_NAME_BYTES {
            return Err(invalid(format!("has a resource with a name of more than {MAX_NAME_BYTES} bytes")));
        }
        let Some(text) = monthly_cost else { continue };
        let amount = text.parse().ok().filter(|amount| Money::is_in_bounds(*amount));
        let amount =
            amount.ok_or_else(|| invalid("has a monthlyCost that is no amount up to 9999999.99".into()))?;
        *side(estimates.entry(name.into_owned()).or_default()) = Some(amount);
    }
    Ok(())
}

fn invalid(message: String) -> DriftError {
    DriftError::Invalid { field: "infracost", message }
}
