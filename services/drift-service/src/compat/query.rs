//! The parameters of the old contract. An empty parameter and `all` do not filter.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Timestamp;
use contracts::drift::Severity;
use contracts::events::alert::AlertType;
use database::contains;
use http::{AnyOf, ApiError};
use sea_orm::{Condition, Order};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::paging::Paging;
use crate::alert::entity::{AlertFilter, Column as AlertColumn, ReaderMark};
use crate::drift::Filter;
use crate::drift::entity::Column;
use crate::text::storable;

const ALL: &str = "all";
/// A status of the old stack. No drift has it: an imported drift with this status is detected.
const TRIAGED: &str = "triaged";
/// Maximum number of values of one filter.
const MAX_VALUES: usize = 50;
const LONGEST_DAYS: u32 = 365;

/// Declares a query string with the number and the size of a page.
macro_rules! paged_query {
    ($(#[$meta:meta])* struct $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Deserialize, Validate, IntoParams)]
        #[serde(rename_all = "camelCase")]
        #[into_params(parameter_in = Query, rename_all = "camelCase")]
        pub(super) struct $name {
            /// At most as many pages as 10,000 entries fill
            #[param(minimum = 1)]
            page: Option<u64>,
            /// More than 100 counts as 100
            #[param(minimum = 1)]
            limit: Option<u64>,
            /// Another name of `limit`
            #[param(minimum = 1)]
            page_size: Option<u64>,
            $($own)*
        }

        impl $name {
            pub(super) fn paging(&self) -> Result<Paging, ApiError> {
                Paging::new(self.page, self.limit.or(self.page_size))
            }
        }
    };
}

paged_query! {
    struct OldDriftQuery {
        /// Part of the id, the address or the type, case-insensitive
        #[validate(length(max = 100), custom(function = "storable"))]
        #[param(max_length = 100)]
        search: Option<String>,
        /// `detectedAt` (the default), `createdAt`, `updatedAt`, `costImpactMonthly`, `severity`, `status`, `resourceType`,
        /// `resourceId` or `region`
        sort_by: Option<String>,
        /// `asc` or `desc` (the default)
        sort_order: Option<String>,
        /// `all`, or severities separated by commas
        severity: Option<String>,
        /// `all`, or statuses separated by commas; no drift has the status `triaged`
        status: Option<String>,
        #[validate(length(max = 256), custom(function = "storable"))]
        #[param(max_length = 256)]
        resource_type: Option<String>,
        #[validate(length(max = 64), custom(function = "storable"))]
        #[param(max_length = 64)]
        region: Option<String>,
    }
}

impl OldDriftQuery {
    pub(super) fn filter(&self) -> Result<Filter, ApiError> {
        let exactly = |text: &Option<String>| given(text).map(|text| AnyOf(vec![text.to_owned()]));
        Ok(Filter {
            status: any_of("status", &self.status)?,
            severity: any_of("severity", &self.severity)?,
            resource_type: exactly(&self.resource_type),
            region: exactly(&self.region),
            search: given(&self.search).map(|text| Condition::all().add(contains(Column::SearchText, text))),
            ..Filter::default()
        })
    }

    pub(super) fn order(&self) -> Result<(Column, Order), ApiError> {
        let column = match self.sort_by.as_deref().unwrap_or_default() {
            "" | "detectedAt" => Column::DetectedAt,
            "createdAt" => Column::CreatedAt,
            "updatedAt" => Column::UpdatedAt,
            "costImpactMonthly" => Column::CostCents,
            "severity" => Column::SeverityRank,
            "status" => Column::Status,
            "resourceType" => Column::ResourceType,
            "resourceId" => Column::ResourceId,
            "region" => Column::Region,
            _ => return Err(unsortable()),
        };
        Ok((column, order(&self.sort_order)?))
    }
}

paged_query! {
    struct OldAlertQuery {
        /// Part of the title or the message, case-insensitive
        #[validate(length(max = 100), custom(function = "storable"))]
        #[param(max_length = 100)]
        search: Option<String>,
        /// `createdAt` (the default) or `severity`
        sort_by: Option<String>,
        /// `asc` or `desc` (the default)
        sort_order: Option<String>,
        /// `all`, `critical`, `warning` or `info`
        severity: Option<String>,
        /// `all`, `read` or `unread`
        status: Option<String>,
        /// `true` or `false`
        is_read: Option<String>,
        /// `all`, or the type of the alerts
        #[serde(rename = "type")]
        #[param(rename = "type")]
        alert_type: Option<String>,
    }
}

impl OldAlertQuery {
    pub(super) fn filter(&self, reader: Option<ReaderMark>) -> Result<AlertFilter, ApiError> {
        let by_status = given(&self.status).map(|status| match status {
            "read" => Ok(true),
            "unread" => Ok(false),
            _ => Err(ApiError::validation("status", "must be all, read or unread")),
        });
        Ok(AlertFilter {
            is_read: one::<bool>("isRead", &self.is_read)?.or(by_status.transpose()?),
            reader,
            severity: one::<Severity>("severity", &self.severity)?,
            alert_type: one::<AlertType>("type", &self.alert_type)?,
            drift_id: None,
            text: given(&self.search).map(Into::into),
        })
    }

    pub(super) fn order(&self) -> Result<(AlertColumn, Order), ApiError> {
        let column = match self.sort_by.as_deref().unwrap_or_default() {
            "" | "createdAt" => AlertColumn::CreatedAt,
            "severity" => AlertColumn::Severity,
            _ => return Err(unsortable()),
        };
        Ok((column, order(&self.sort_order)?))
    }
}

paged_query! {
    /// The parameters of the timeline.
    struct PageQuery {}
}

/// The parameters of the metrics.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DaysQuery {
    /// Only drifts that were detected within this many days, at most 365
    #[validate(range(min = 1, max = LONGEST_DAYS))]
    #[param(minimum = 1, maximum = 365)]
    pub days: Option<u32>,
}

impl DaysQuery {
    pub(super) fn filter(&self, now: DateTime<Utc>) -> Filter {
        let from = self.days.map(|days| Timestamp(now - TimeDelta::days(days.into())));
        Filter { detected_from: from, ..Filter::default() }
    }
}

/// Returns a filter that a request sets.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty() && *text != ALL)
}

fn one<T: FromStr>(field: &str, text: &Option<String>) -> Result<Option<T>, ApiError> {
    let parsed = given(text).map(str::parse).transpose();
    parsed.map_err(|_error| unknown(field))
}

fn unknown(field: &str) -> ApiError {
    ApiError::validation(field, "is not one of the known values")
}

fn any_of<T: FromStr>(field: &str, list: &Option<String>) -> Result<Option<AnyOf<T>>, ApiError> {
    let Some(list) = given(list) else { return Ok(None) };
    if list.split(',').count() > MAX_VALUES {
        return Err(ApiError::validation(field, format!("must have at most {MAX_VALUES} values")));
    }
    let known = list.split(',').map(str::trim).filter(|value| *value != TRIAGED);
    let values = known.map(str::parse).collect::<Result<_, _>>();
    values.map(|values| Some(AnyOf(values))).map_err(|_error| unknown(field))
}

fn order(text: &Option<String>) -> Result<Order, ApiError> {
    match text.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "desc" => Ok(Order::Desc),
        "asc" => Ok(Order::Asc),
        _ => Err(ApiError::validation("sortOrder", "must be asc or desc")),
    }
}

fn unsortable() -> ApiError {
    ApiError::validation("sortBy", "is not a key by which this list can be sorted")
}

#[cfg(test)]
mod tests {
    use contracts::drift::Status;

    use super::*;

    #[test]
    fn a_filter_has_a_bound() {
        let statuses = |count| any_of::<Status>("status", &Some(vec!["detected"; count].join(",")));
        assert!(statuses(50).is_ok());
        assert!(statuses(51).is_err());
    }
}
