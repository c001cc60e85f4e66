use std::time::Instant;

use crate::entry::Entry;
use crate::redact::Redactor;
use crate::resource_identity::StateKey;
use crate::rules::{Rules, Subject};
use crate::scope::Scope;

/// The rules and the key with which a service assesses entries.
#[derive(Clone, Copy)]
pub struct Criteria<'a> {
    pub rules: &'a Rules,
    pub key: &'a StateKey,
}

/// Everything that a finding depends on in addition to the entry.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub criteria: Criteria<'a>,
    pub redactor: &'a Redactor<'a>,
    pub stack: &'a str,
    /// The region to use if nothing else reports one.
    pub region: Option<&'a str>,
    pub account: Option<&'a str>,
    /// Whether to report every changed path, also those that rules exclude from decisions.
    pub is_planned: bool,
    /// The time by which the entry must be assessed.
    pub deadline: Option<Instant>,
}

impl<'a> Context<'a> {
    /// The context of the entries of an upload.
    pub(crate) fn of(scope: &'a Scope, criteria: Criteria<'a>, redactor: &'a Redactor<'a>) -> Self {
        Self {
            criteria,
            redactor,
            stack: &scope.stack,
            region: scope.region.as_deref(),
            account: scope.account_id.as_deref(),
            is_planned: scope.is_planned,
            deadline: scope.deadline,
        }
    }

    /// Returns the properties of an entry that rules can match.
    pub(super) fn subject<'e>(&self, entry: &'e Entry<'_>) -> Subject<'e>
    where
        'a: 'e,
    {
        Subject {
            stack: self.stack,
            address: &entry.address,
            resource_type: &entry.resource_type,
            kind: entry.kind,
        }
    }
}
