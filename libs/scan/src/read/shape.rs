//! Recognises the format of a document by its shape as a whole.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::foreign::show_hint;
use crate::error::ScanError;

/// The format of a document.
pub(super) enum Form {
    Plan,
    Driftctl,
    /// A line of `terraform plan -json`.
    UiLine,
    /// Not supported; the text names what to do instead.
    Refused(String),
}

type Present = Option<IgnoredAny>;

/// The top-level keys that distinguish the formats.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow, default)]
    format_version: Option<Version<'a>>,
    errored: Option<bool>,
    values: Present,
    lineage: Present,
    serial: Present,
    planned_values: Present,
    resource_drift: Present,
    resource_changes: Present,
    prior_state: Present,
    configuration: Present,
    #[serde(borrow)]
    summary: Option<&'a RawValue>,
    managed: Present,
    unmanaged: Present,
    missing: Present,
    deleted: Present,
    differences: Present,
    coverage: Present,
    #[serde(rename = "@level")]
    log_level: Present,
    plan_json_api_url: Present,
    encrypted_data: Present,
    encryption_version: Present,
    provider_schemas: Present,
    valid: Present,
    diagnostics: Present,
    errors: Present,
    steps: Present,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version<'a> {
    Text(#[serde(borrow)] std::borrow::Cow<'a, str>),
    Other(IgnoredAny),
}

/// The counts in driftctl's summary. Other tools have a summary as well.
#[derive(Deserialize)]
struct Counts {
    #[serde(rename = "total_resources")]
    _total_resources: u64,
}

pub(super) fn form(text: &str) -> Result<Form, ScanError> {
    let refuse = |hint: String| Ok(Form::Refused(hint));
    if !text.trim_start().starts_with('{') {
        return refuse(format!("this is neither a plan nor driftctl's JSON output. {}", show_hint()));
    }
    let shape: Shape<'_> = serde_json::from_str(text)?;
    if shape.log_level.is_some() {
        return Ok(Form::UiLine);
    }
    if shape.plan_json_api_url.is_some() {
        return refuse(
            "this is the payload of a run task of HCP Terraform, not a plan. Its `plan_json_api_url` has the plan: fetch \
             that address with the payload's `access_token` and send what comes"
                .into(),
        );
    }
    if shape.encrypted_data.is_some() || shape.encryption_version.is_some() {
        return refuse(format!("this is an encrypted plan or state of OpenTofu. {}", show_hint()));
    }
    if shape.is_plan() {
        return match shape.errored {
            Some(true) => {
                refuse("this plan errored, so it is only a part. Fix the error and plan again".into())
            }
            _ => shape.check_version(),
        };
    }
    if shape.is_driftctl() {
        return Ok(Form::Driftctl);
    }
    let what = if shape.values.is_some() || shape.lineage.is_some() || shape.serial.is_some() {
        "a state, not a plan"
    } else if shape.provider_schemas.is_some() {
        "the output of `terraform providers schema -json`"
    } else if shape.valid.is_some() && shape.diagnostics.is_some() {
        "the output of `terraform validate -json`"
    } else if shape.steps.is_some() {
        "a preview of Pulumi, which is not read here"
    } else if shape.errors.is_some() {
        "the error of an API"
    } else if shape.format_version.is_some() {
        return shape.check_version().map(|_| {
            Form::Refused(format!("this is JSON of Terraform or OpenTofu, and no plan. {}", show_hint()))
        });
    } else {
        "neither a plan (`terraform show -json plan`) nor driftctl's JSON output"
    };
    refuse(format!("this is {what}. {}", show_hint()))
}

impl Shape<'_> {
    fn is_plan(&self) -> bool {
        [
            &self.planned_values,
            &self.resource_drift,
            &self.resource_changes,
            &self.prior_state,
            &self.configuration,
        ]
        .into_iter()
        .any(Option::is_some)
    }

    /// Whether this is driftctl's output. A summary is not enough: driftctl also lists resources or its
    /// coverage.
    fn is_driftctl(&self) -> bool {
        let lists = [&self.managed, &self.unmanaged, &self.missing, &self.deleted, &self.differences];
        let has_counts =
            self.summary.is_some_and(|summary| serde_json::from_str::<Counts>(summary.get()).is_ok());
        has_counts
            && (self.coverage.is_some() || lists.into_iter().any(Option::is_some))
            && self.format_version.is_none()
    }

    fn check_version(&self) -> Result<Form, ScanError> {
        match &self.format_version {
            None => Ok(Form::Plan),
            Some(Version::Text(version)) if version.starts_with("1.") || matches!(version.as_ref(), "0.1" | "0.2") => {
                Ok(Form::Plan)
            }
            Some(_) => Ok(Form::Refused(
                "this format_version is not read here: only 1.x (Terraform 1.1 and later, OpenTofu), 0.2 (Terraform 1.0) \
                 and 0.1 (Terraform 0.12 to 0.15) are. Plan with Terraform 1.1 or later"
                    .into(),
            )),
        }
    }
}
