//! The parameters of an upload.

use contracts::AccountId;
use http::is_account_id;
use scan::Scope;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

use super::upload::reading_deadline;
use crate::State;
use crate::scans::Provenance;
use crate::text::storable;

/// The list of a plan that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// `resource_drift`: the recorded state compared with reality.
    #[default]
    Drift,
    /// `resource_changes`: reality compared with the configuration.
    Changes,
}

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct IngestQuery {
    /// The state or workspace that was scanned. In an upload of several plans, `{module}` stands for the path
    /// of a plan's module, and `{n}` for the plan's number
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 256)]
    pub(super) stack: String,
    /// The scan covers the whole stack, so drifts that it does not show are resolved. A plan that is
    /// targeted, or does not show that it is complete, resolves nothing
    #[serde(default)]
    pub(super) complete: bool,
    /// If the plan does not show it: the caller vouches that the plan was neither targeted nor created with
    /// `-refresh=false`
    #[serde(default)]
    pub(super) assume_complete: bool,
    #[validate(custom(function = "is_account_id"))]
    pub(super) account_id: Option<AccountId>,
    /// The region of resources for which the scan contains none
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 64)]
    region: Option<String>,
    /// The list of a plan to read
    #[serde(default)]
    #[param(value_type = Option<Source>)]
    source: Source,
    /// Read driftctl's unmanaged resources as well
    #[serde(default)]
    unmanaged: bool,
    /// Return the report, but store nothing
    #[serde(default)]
    pub(super) dry_run: bool,
    /// The page of the CI run, which the console links to
    #[validate(length(max = 2048), custom(function = "is_web_url"))]
    #[param(max_length = 2048)]
    run_url: Option<String>,
    /// The commit that was scanned, in hex
    #[validate(custom(function = "is_commit"))]
    #[param(min_length = 7, max_length = 64)]
    commit: Option<String>,
}

/// A link with another scheme could run code in the console.
fn is_web_url(url: &str) -> Result<(), ValidationError> {
    let is_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    if is_web && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ValidationError::new("url").with_message("must be a URL that begins with https:// or http://".into()))
}

fn is_commit(commit: &str) -> Result<(), ValidationError> {
    if (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(ValidationError::new("commit").with_message("must have 7 to 64 hex digits".into()))
}

impl IngestQuery {
    pub(super) fn provenance(&self, state: &State) -> Provenance {
        Provenance {
            run_url: self.run_url.as_deref().map(|url| state.redacted(url)),
            commit: self.commit.clone(),
            account_id: self.account_id.clone(),
        }
    }

    pub(super) fn scope(&self) -> Scope {
        Scope {
            stack: self.stack.clone(),
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            source: match self.source {
                Source::Drift => scan::Source::Drift,
                Source::Changes => scan::Source::Changes,
            },
            unmanaged: self.unmanaged,
            is_planned: false,
            deadline: Some(reading_deadline()),
        }
    }
}
