//! driftctl's JSON output: up to 0.39 with the differences of a deep scan, from 0.40 without. It marks
//! nothing as sensitive, so key names alone tell.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::assess::{Bench, Observation, assess, read_state};
use super::json::Json;
use super::marks::Marks;
use super::stream::{each_field, each_item};
use super::taint::Taint;
use super::{Judgement, MAX_ENTRIES, Scan, ScanError, Scope};
use crate::drift::Kind;

mod changelog;

#[derive(Deserialize)]
struct Report<'a> {
    date: Option<DateTime<Utc>>,
    #[serde(borrow)]
    missing: Option<&'a RawValue>,
    unmanaged: Option<&'a RawValue>,
    differences: Option<&'a RawValue>,
    alerts: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
    #[serde(rename = "type")]
    resource_type: String,
    source: Option<ResourceSource>,
}

#[derive(Deserialize)]
struct ResourceSource {
    namespace: Option<String>,
    internal_name: Option<String>,
}

#[derive(Deserialize)]
struct Difference<'a> {
    res: Resource,
    #[serde(borrow)]
    changelog: Option<&'a RawValue>,
}

impl Resource {
    /// The Terraform address where driftctl knows it, else `type.id`.
    fn address(&self) -> String {
        let source = self.source.as_ref();
        let name = source.and_then(|source| source.internal_name.as_deref()).unwrap_or(&self.id);
        match source.and_then(|source| source.namespace.as_deref()).filter(|namespace| !namespace.is_empty())
        {
            Some(namespace) => format!("{namespace}.{}.{name}", self.resource_type),
            None => format!("{}.{name}", self.resource_type),
        }
    }
}

pub fn read(upload: &str, scope: &Scope, judgement: Judgement<'_>) -> Result<Scan, ScanError> {
    let report: Report<'_> = serde_json::from_str(upload)?;
    let taint = Taint::nothing();
    let mut reader = Reader {
        bench: Bench { scope, judgement, taint: &taint },
        scan: Scan { taken_at: report.date, ..Scan::default() },
        count: 0,
    };
    if let Some(alerts) = report.alerts {
        reader.note_alerts(alerts)?;
    }
    reader.read_listed(report.missing, Kind::Missing)?;
    if scope.unmanaged {
        reader.read_listed(report.unmanaged, Kind::Unmanaged)?;
    } else if let Some(unmanaged) = report.unmanaged {
        each_item(unmanaged, |_: serde::de::IgnoredAny| {
            reader.scan.skip("unmanaged resources were not asked for");
            Ok(())
        })?;
    }
    reader.read_differences(report.differences)?;
    Ok(reader.scan)
}

struct Reader<'a> {
    bench: Bench<'a>,
    scan: Scan,
    count: usize,
}

impl Reader<'_> {
    /// An alert is something that driftctl could not read: such a scan can't tell what is gone.
    fn note_alerts(&mut self, alerts: &RawValue) -> Result<(), ScanError> {
        each_field(alerts, |resource, _: serde::de::IgnoredAny| {
            self.scan.warn(format!("driftctl could not read {}", super::shortened(&resource)));
            self.scan.incomplete.get_or_insert_with(|| "driftctl could not read everything".into());
            Ok(())
        })
    }

    fn read_listed(&mut self, resources: Option<&RawValue>, kind: Kind) -> Result<(), ScanError> {
        let Some(resources) = resources else { return Ok(()) };
        each_item(resources, |resource: Resource| {
            self.count()?;
            self.judge(observation(resource, kind))
        })
    }

    fn read_differences(&mut self, differences: Option<&RawValue>) -> Result<(), ScanError> {
        let Some(differences) = differences else { return Ok(()) };
        each_item(differences, |difference: Difference<'_>| {
            self.count()?;
            let address = difference.res.address();
            let changelog = match read_state(difference.changelog) {
                Ok(changelog) => changelog.unwrap_or(Json::Null),
                Err(error) => {
                    self.scan.skip_unread(error.reason(), &address);
                    return Ok(());
                }
            };
            let Some(states) = changelog::states(&changelog) else {
                self.scan.skip_unread("its changelog is not as expected", &address);
                return Ok(());
            };
            self.judge(Observation {
                expected: Some(states.expected),
                actual: Some(states.actual),
                is_state_only: states.all_computed,
                ..observation(difference.res, Kind::Changed)
            })
        })
    }

    fn count(&mut self) -> Result<(), ScanError> {
        self.count += 1;
        if self.count > MAX_ENTRIES { Err(ScanError::TooManyEntries) } else { Ok(()) }
    }

    fn judge(&mut self, observation: Observation<'_>) -> Result<(), ScanError> {
        let address = observation.address.clone();
        self.scan.take(assess(observation, self.bench), &address)
    }
}

fn observation(resource: Resource, kind: Kind) -> Observation<'static> {
    Observation {
        kind,
        address: resource.address(),
        resource_type: resource.resource_type,
        resource_id: Some(resource.id),
        expected: None,
        actual: None,
        expected_marks: Marks::NONE,
        actual_marks: Marks::NONE,
        unknown: Marks::NONE,
        provider_region: None,
        is_state_only: false,
    }
}
