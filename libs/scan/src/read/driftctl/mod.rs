//! driftctl's JSON output. Versions up to 0.6 write `deleted`, and versions up to 0.39 write the differences
//! of a deep scan; later versions write neither. No value is marked as sensitive.

mod changelog;

use chrono::{DateTime, Utc};
use contracts::drift::Kind;
use contracts::scan::{Format, Tool};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::state::read_state;
use super::stream::{each_field, each_item};
use crate::assess::{Context, Criteria};
use crate::entry::{Entry, Provider};
use crate::error::ScanError;
use crate::json::Json;
use crate::redact::{Redactor, Secrets};
use crate::scan::{Origin, Scan, shortened};
use crate::scope::Scope;

#[derive(Deserialize)]
struct Report<'a> {
    date: Option<DateTime<Utc>>,
    #[serde(borrow)]
    missing: Option<&'a RawValue>,
    deleted: Option<&'a RawValue>,
    unmanaged: Option<&'a RawValue>,
    differences: Option<&'a RawValue>,
    alerts: Option<&'a RawValue>,
    provider_name: Option<String>,
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
    /// Returns the Terraform address if driftctl knows it, or else `type.id`.
    fn address(&self) -> String {
        let source = self.source.as_ref();
        let name = source.and_then(|source| source.internal_name.as_deref()).unwrap_or(&self.id);
        let namespace = source.and_then(|source| source.namespace.as_deref());
        match namespace.filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => format!("{namespace}.{}.{name}", self.resource_type),
            None => format!("{}.{name}", self.resource_type),
        }
    }
}

pub(super) fn read(upload: &str, scope: &Scope, criteria: Criteria<'_>) -> Result<Scan, ScanError> {
    let report: Report<'_> = serde_json::from_str(upload)?;
    let secrets = Secrets::none();
    let redactor = Redactor::new(&secrets, criteria.key);
    let context = Context::of(scope, criteria, &redactor);
    let origin = Origin::new(Tool::Driftctl, None, Format::Driftctl);
    let scan = Scan { stack: scope.stack.clone(), taken_at: report.date, origin, ..Scan::default() };
    let mut reader = Reader { context, scope, scan, provider: report.provider_name.as_deref() };
    if let Some(alerts) = report.alerts {
        reader.note_alerts(alerts)?;
    }
    reader.read_listed(report.missing, Kind::Missing)?;
    reader.read_listed(report.deleted, Kind::Missing)?;
    if scope.unmanaged {
        reader.read_listed(report.unmanaged, Kind::Unmanaged)?;
    } else if let Some(unmanaged) = report.unmanaged.filter(|list| list.get() != "null") {
        each_item(unmanaged, |_: serde::de::IgnoredAny| {
            reader.scan.skip("unmanaged resources were not asked for");
            Ok(())
        })?;
    }
    reader.read_differences(report.differences)?;
    Ok(reader.scan)
}

struct Reader<'a> {
    context: Context<'a>,
    scope: &'a Scope,
    scan: Scan,
    provider: Option<&'a str>,
}

impl<'a> Reader<'a> {
    /// Records alerts. Each names a resource that driftctl could not read, so absent resources may still
    /// exist.
    fn note_alerts(&mut self, alerts: &RawValue) -> Result<(), ScanError> {
        if alerts.get() == "null" {
            return Ok(());
        }
        each_field(alerts, |resource, _: serde::de::IgnoredAny| {
            let resource = self.context.redactor.text(&resource).into_owned();
            self.scan.warn(format!("driftctl could not read {}", shortened(&resource)));
            self.scan.is_partial("driftctl could not read everything");
            Ok(())
        })
    }

    fn read_listed(&mut self, resources: Option<&RawValue>, kind: Kind) -> Result<(), ScanError> {
        let Some(resources) = resources.filter(|list| list.get() != "null") else { return Ok(()) };
        each_item(resources, |resource: Resource| {
            self.scan.count(self.scope.deadline)?;
            let entry = self.entry(resource, kind);
            self.scan.add(entry, self.context)
        })
    }

    fn read_differences(&mut self, differences: Option<&RawValue>) -> Result<(), ScanError> {
        let Some(differences) = differences.filter(|list| list.get() != "null") else { return Ok(()) };
        each_item(differences, |difference: Difference<'_>| {
            self.scan.count(self.scope.deadline)?;
            let address = self.context.redactor.address(&difference.res.address());
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
            let entry = Entry {
                expected: Some(states.expected),
                actual: Some(states.actual),
                is_state_only: states.all_computed,
                ..self.entry(difference.res, Kind::Changed)
            };
            self.scan.add(entry, self.context)
        })
    }

    fn entry(&self, resource: Resource, kind: Kind) -> Entry<'a> {
        Entry {
            resource_id: Some(resource.id.clone()),
            provider: Provider { name: self.provider, ..Provider::default() },
            ..Entry::new(kind, resource.address(), resource.resource_type)
        }
    }
}
