//! Puts the parts of a finding together, redacted.

use contracts::AccountId;
use contracts::drift::{Kind, Severity};

use super::compare::LeafRating;
use super::context::Context;
use super::hashes::Hashes;
use crate::diff::ChangedPath;
use crate::entry::Entry;
use crate::equality::{Attribute, canonical};
use crate::finding::{Finding, Settled, ShownChange};
use crate::json::Json;
use crate::place::PlaceSources;
use crate::redact::Redactor;

const MAX_PROVIDER_CHARS: usize = 256;
pub(super) const MAX_ID_CHARS: usize = 1024;

pub(super) fn settled(entry: &Entry<'_>, context: Context<'_>) -> Settled {
    let sources = PlaceSources::of(entry);
    Settled {
        address: context.redactor.address(&entry.address),
        resource_type: entry.resource_type.clone(),
        resource_id: context.redactor.key(&resource_id(entry, &sources)),
    }
}

fn resource_id(entry: &Entry<'_>, sources: &PlaceSources<'_>) -> String {
    let own = entry.resource_id.clone().filter(|id| !id.is_empty());
    own.or_else(|| sources.id(MAX_ID_CHARS).map(Into::into))
        .unwrap_or_else(|| entry.address.chars().take(MAX_ID_CHARS).collect())
}

pub(super) fn finding(
    entry: Entry<'_>,
    changes: Vec<ChangedPath<LeafRating>>,
    severity: Severity,
    reason: Option<&'static str>,
    context: Context<'_>,
) -> Finding {
    let redactor = context.redactor;
    let sources = PlaceSources::of(&entry);
    let resource_id = resource_id(&entry, &sources);
    let shown_place = |place: String| (redactor.text(&place) == place).then_some(place);
    let region = sources.region(context.region).and_then(shown_place);
    let account_id = sources.account(context.account).and_then(shown_place).map(AccountId::from);
    let lacks_id = resource_id == entry.address;
    let gone = entry.expected.as_ref().filter(|_| entry.kind == Kind::Missing);
    let gone =
        gone.map(|state| canonical(state, Attribute { resource_type: &entry.resource_type, name: "" }));
    let hashes = Hashes::new(entry.kind, &changes, gone, severity, context);
    let shown = |state: Option<Json>, marks| {
        state.map(|state| redactor.state(&entry.resource_type, state, marks).to_text())
    };
    Finding {
        kind: entry.kind,
        expected_state: shown(entry.expected, entry.expected_marks),
        actual_state: shown(entry.actual, entry.actual_marks),
        address: redactor.address(&entry.address),
        previous_address: entry.previous_address.map(|address| redactor.address(&address)),
        resource_id: redactor.key(&resource_id),
        lacks_id,
        region,
        account_id,
        provider: entry.provider.name.map(|name| name.chars().take(MAX_PROVIDER_CHARS).collect()),
        provider_config: entry.provider.config.map(|name| name.chars().take(MAX_PROVIDER_CHARS).collect()),
        difference: difference(&changes, redactor),
        decidable: hashes.decidable,
        actual_hash: hashes.actual,
        shown_hash: hashes.shown,
        severity,
        reason,
        is_state_only: entry.is_state_only,
        is_replaced: entry.is_replaced,
        lacks_states: entry.lacks_states,
        resource_type: entry.resource_type,
    }
}

fn difference(changes: &[ChangedPath<LeafRating>], redactor: &Redactor<'_>) -> String {
    let shown: Vec<ShownChange<'_>> = changes
        .iter()
        .map(|change| ShownChange {
            path: redactor.path(&change.path),
            sensitive: change.rating.is_sensitive,
            change: change.how.into_str(),
            class: change.rating.rating.class.into_str(),
            reason: change.rating.rating.reason,
        })
        .collect();
    serde_json::to_string(&shown).unwrap_or_else(|_| "[]".into())
}
