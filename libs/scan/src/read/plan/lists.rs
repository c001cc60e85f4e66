//! Combines the two lists of a plan: each one explains entries of the other.

use std::collections::{BTreeSet, HashMap};

use super::document::{Plan, Resource, present};
use crate::error::ScanError;
use crate::limits::MAX_ENTRIES;
use crate::read::stream::each_item;
use crate::scope::Source;

#[derive(Default)]
pub(super) struct Lists {
    untouched: BTreeSet<String>,
    deleted: BTreeSet<String>,
    previous: HashMap<String, String>,
}

impl Lists {
    pub(super) fn read(plan: &Plan<'_>, source: Source) -> Result<Self, ScanError> {
        let mut lists = Self::default();
        let (Some(drift), Some(changes)) = (present(plan.resource_drift), present(plan.resource_changes))
        else {
            return Ok(lists);
        };
        let mut drifted = BTreeSet::new();
        each_item(drift, |resource: Resource<'_>| {
            if resource.change.actions == ["no-op"] {
                return Ok(());
            }
            if resource.change.actions == ["delete"] {
                lists.deleted.insert(resource.address.clone());
            }
            drifted.insert(resource.address);
            if drifted.len() > MAX_ENTRIES { Err(ScanError::TooManyEntries) } else { Ok(()) }
        })?;
        each_item(changes, |resource: Resource<'_>| {
            if let Some(previous) = resource.previous_address {
                lists.previous.insert(resource.address.clone(), previous);
            }
            let is_untouched = resource.change.actions == ["no-op"] && drifted.contains(&resource.address);
            if is_untouched && source == Source::Drift {
                lists.untouched.insert(resource.address);
            }
            Ok(())
        })?;
        Ok(lists)
    }

    /// Whether the plan would leave a drifting resource unchanged: only computed attributes differ.
    pub(super) fn is_untouched(&self, address: &str) -> bool {
        self.untouched.contains(address)
    }

    /// Whether a resource that the plan creates existed before.
    pub(super) fn is_deleted(&self, address: &str) -> bool {
        self.deleted.contains(address)
    }

    pub(super) fn previous_address(&self, address: &str) -> Option<String> {
        self.previous.get(address).cloned()
    }
}
