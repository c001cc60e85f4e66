//! Readers for the output of scanners: plans of Terraform and OpenTofu, the lines of `plan -json`, and
//! driftctl's reports. Start at [`read`].
//!
//! The upload itself is never stored or logged. Neither is any error text that could quote it.

mod document;
mod driftctl;
mod encoding;
mod foreign;
mod gzip;
mod plan;
mod report;
mod shape;
mod state;
mod stream;
mod ui_stream;

pub use gzip::unpack;
#[cfg(test)]
pub(crate) use plan::add_secrets;
pub use report::{Report, ReportError, read_report};

use crate::assess::Criteria;
use crate::error::ScanError;
use crate::limits::MAX_PLANS;
use crate::scan::{Scan, Size, check_time};
use crate::scope::Scope;
use document::{Document, stack_of};
use shape::Form;

const NOT_ONE_PLAN: &str = "only one plan can be applied at a time. Send the output of `terraform show -json` for the plan that you apply";

/// Reads an upload into one scan, or into one scan for each plan that it contains.
///
/// # Errors
/// If the upload is not supported. The message names the probable kind of input, and what to send instead.
pub fn read(upload: &[u8], scope: &Scope, criteria: Criteria<'_>) -> Result<Vec<Scan>, ScanError> {
    let text = encoding::decode(upload)?;
    let documents = document::split(&text)?;
    let forms =
        documents.iter().map(|document| shape::form(&document.text)).collect::<Result<Vec<_>, _>>()?;
    if let Some(Form::Refused(hint)) = forms.iter().find(|form| matches!(form, Form::Refused(_))) {
        return Err(ScanError::Unsupported((*hint).clone()));
    }
    if forms.first().is_some_and(|form| matches!(form, Form::UiLine)) && !scope.is_planned {
        let scope = Scope { stack: stack_of(&scope.stack, None, 1, 1), ..scope.clone() };
        return Ok(vec![ui_stream::read(&documents, &scope, criteria)?]);
    }
    let plans: Vec<(&Document<'_>, &Form)> =
        documents.iter().zip(&forms).filter(|(_, form)| !matches!(form, Form::UiLine)).collect();
    let count = plans.len();
    if scope.is_planned && (count != 1 || plans.iter().any(|(_, form)| matches!(form, Form::Driftctl))) {
        return Err(ScanError::Unsupported(NOT_ONE_PLAN.into()));
    }
    if count > MAX_PLANS {
        return Err(ScanError::TooManyPlans);
    }
    // The limits hold for the upload, however many plans it is divided into.
    let mut size = Size::default();
    let mut scans = Vec::with_capacity(count);
    for (number, (document, form)) in (1..).zip(plans) {
        let stack = stack_of(&scope.stack, document.name.as_deref(), number, count);
        let scope = Scope { stack, ..scope.clone() };
        let mut scan = match form {
            Form::Driftctl => driftctl::read(&document.text, &scope, criteria)?,
            _ => plan::read(&document.text, &scope, criteria)?,
        };
        check_time(scope.deadline)?;
        size.entries += scan.size.entries;
        size.bytes += scan.size.bytes;
        size.check()?;
        scan.stack = scope.stack;
        scans.push(scan);
    }
    if count > 1
        && documents.iter().any(|document| document.name.is_none())
        && !document::is_template(&scope.stack)
    {
        for scan in &mut scans {
            scan.is_partial(
                "the upload holds several plans without names, so that their order names the stacks. Send them one by \
                 one, or put {n} into the name of the stack",
            );
        }
    }
    Ok(scans)
}

#[cfg(test)]
mod tests;
