//! The filters that lists and the summary share.

use contracts::Timestamp;
use contracts::drift::{Kind, Severity, Status};
use http::{AnyOf, ApiError};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, Value};

use super::entity::Column;
use super::group_key::parse_group_key;
use super::returns::FLAPPING;
use super::watcher;
use crate::money::Money;

/// A selection of drifts.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<AnyOf<Status>>,
    pub severity: Option<AnyOf<Severity>>,
    pub kind: Option<AnyOf<Kind>>,
    pub resource_type: Option<AnyOf<String>>,
    pub region: Option<AnyOf<String>>,
    pub account_id: Option<AnyOf<String>>,
    pub stack: Option<AnyOf<String>>,
    pub resource_id: Option<String>,
    /// The condition of `q`.
    pub search: Option<Condition>,
    /// The key of a group.
    pub group: Option<String>,
    pub detected_from: Option<Timestamp>,
    pub detected_to: Option<Timestamp>,
    pub min_cost: Option<Money>,
    pub max_cost: Option<Money>,
    /// The id of the assignee, or [`NOBODY`].
    pub assignee: Option<String>,
    pub snoozed: Option<bool>,
    pub flapping: Option<bool>,
    /// Whether the caller watches the drift.
    pub watched: Option<bool>,
    /// The caller. Without one, `assignee` and `watched` match nothing.
    pub caller: Option<String>,
}

/// The value of the filter `assignee` for drifts without one.
const NOBODY: &str = "none";

/// Declares a query string with all filters and further parameters of its own.
macro_rules! filtered_query {
    ($(#[$meta:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize, validator::Validate, utoipa::IntoParams)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[into_params(parameter_in = Query, rename_all = "camelCase")]
        pub struct $name {
            #[param(value_type = Option<String>)]
            status: Option<http::AnyOf<contracts::drift::Status>>,
            #[param(value_type = Option<String>)]
            severity: Option<http::AnyOf<contracts::drift::Severity>>,
            #[param(value_type = Option<String>)]
            kind: Option<http::AnyOf<contracts::drift::Kind>>,
            #[param(value_type = Option<String>)]
            resource_type: Option<http::AnyOf<String>>,
            #[param(value_type = Option<String>)]
            region: Option<http::AnyOf<String>>,
            #[param(value_type = Option<String>)]
            account_id: Option<http::AnyOf<String>>,
            #[param(value_type = Option<String>)]
            stack: Option<http::AnyOf<String>>,
            #[validate(length(max = 1024), custom(function = "crate::text::storable"))]
            #[param(max_length = 1024)]
            resource_id: Option<String>,
            /// Part of the id, the address, the type, the stack, the account, a changed path or a reason,
            /// case-insensitive. `stack:`, `account:`, `type:`, `attr:` (changed path) and `reason:` before a word
            /// search only there
            #[validate(length(max = 100), custom(function = "crate::text::storable"))]
            #[param(max_length = 100)]
            q: Option<String>,
            /// The key of a group
            #[validate(length(max = 512), custom(function = "crate::text::storable"))]
            #[param(max_length = 512)]
            group: Option<String>,
            /// RFC 3339, from 1970 to 9999
            #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
            detected_from: Option<contracts::Timestamp>,
            /// RFC 3339, exclusive
            #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
            detected_to: Option<contracts::Timestamp>,
            #[param(value_type = Option<f64>)]
            min_cost: Option<crate::money::Money>,
            #[param(value_type = Option<f64>)]
            max_cost: Option<crate::money::Money>,
            /// The id of the assignee, or `none`
            #[validate(length(max = 64), custom(function = "crate::text::storable"))]
            #[param(max_length = 64)]
            assignee: Option<String>,
            snoozed: Option<bool>,
            /// The drift has returned at least 3 times within 90 days
            flapping: Option<bool>,
            /// The caller watches the drift
            watched: Option<bool>,
            $($own)*
        }

        impl $name {
            /// Returns the filters if they are consistent.
            ///
            /// # Errors
            /// 400 if a range ends before it begins, or a filter or the search is for what `reader` may not see.
            pub fn filter(&self, reader: &crate::access::Reader) -> Result<crate::drift::Filter, http::ApiError> {
                let personal = [("assignee", self.assignee.is_some()), ("watched", self.watched.is_some())];
                if let Some((name, _)) = personal.into_iter().find(|(_, is_set)| *is_set && reader.user_id.is_none()) {
                    return Err(http::ApiError::validation(name, "requires a login"));
                }
                crate::drift::Filter {
                    status: self.status.clone(),
                    severity: self.severity.clone(),
                    kind: self.kind.clone(),
                    resource_type: self.resource_type.clone(),
                    region: self.region.clone(),
                    account_id: self.account_id.clone(),
                    stack: self.stack.clone(),
                    resource_id: self.resource_id.clone(),
                    search: self.q.as_deref().map(|q| crate::drift::search(q, reader.audience)).transpose()?,
                    group: self.group.clone(),
                    detected_from: self.detected_from,
                    detected_to: self.detected_to,
                    min_cost: self.min_cost,
                    max_cost: self.max_cost,
                    assignee: self.assignee.clone(),
                    snoozed: self.snoozed,
                    flapping: self.flapping,
                    watched: self.watched,
                    caller: reader.user_id.clone(),
                }
                .checked()
            }
        }
    };
}
pub(crate) use filtered_query;

fn known(column: Column, is_known: bool) -> Expr {
    if is_known { column.is_not_null() } else { column.is_null() }
}

impl Filter {
    pub fn checked(self) -> Result<Self, ApiError> {
        if let (Some(from), Some(to)) = (self.detected_from, self.detected_to)
            && from > to
        {
            return Err(ApiError::validation("detectedFrom", "must not be after detectedTo"));
        }
        if let (Some(min), Some(max)) = (self.min_cost, self.max_cost)
            && min > max
        {
            return Err(ApiError::validation("minCost", "must not be above maxCost"));
        }
        if self.group.as_deref().is_some_and(|key| parse_group_key(key).is_none()) {
            return Err(ApiError::validation("group", "is not the key of a group"));
        }
        Ok(self)
    }

    pub fn condition(&self) -> Condition {
        fn any_of<T: Clone + Into<Value>>(column: Column, values: Option<&AnyOf<T>>) -> Option<Expr> {
            values.map(|values| column.is_in(values.0.iter().cloned()))
        }
        Condition::all()
            .add_option(any_of(Column::Status, self.status.as_ref()))
            .add_option(any_of(Column::Severity, self.severity.as_ref()))
            .add_option(any_of(Column::Kind, self.kind.as_ref()))
            .add_option(any_of(Column::ResourceType, self.resource_type.as_ref()))
            .add_option(any_of(Column::Region, self.region.as_ref()))
            .add_option(any_of(Column::AccountId, self.account_id.as_ref()))
            .add_option(any_of(Column::Stack, self.stack.as_ref()))
            .add_option(self.resource_id.as_ref().map(|id| Column::ResourceId.eq(id)))
            .add_option(self.search.clone())
            .add_option(self.group.as_deref().and_then(parse_group_key).map(|(resource_type, hash)| {
                Column::ResourceType.eq(resource_type).and(Column::ActualHash.eq(hash))
            }))
            .add_option(self.detected_from.map(|from| Column::DetectedAt.gte(from.0)))
            .add_option(self.detected_to.map(|to| Column::DetectedAt.lt(to.0)))
            .add_option(self.min_cost.map(|cost| Column::CostCents.gte(cost.cents)))
            .add_option(self.max_cost.map(|cost| Column::CostCents.lte(cost.cents)))
            .add_option(self.snoozed.map(|is_on| known(Column::SnoozedUntil, is_on)))
            .add_option(self.flapping.map(|is_on| {
                if is_on { Column::Returns.gte(FLAPPING) } else { Column::Returns.lt(FLAPPING) }
            }))
            .add_option(self.personal())
    }

    /// The condition of the filters that only callers with an account may use.
    fn personal(&self) -> Option<Condition> {
        if self.assignee.is_none() && self.watched.is_none() {
            return None;
        }
        let Some(caller) = &self.caller else { return Some(Condition::any().add(Expr::value(false))) };
        let assignee = self.assignee.as_ref().map(|id| match id.as_str() {
            NOBODY => known(Column::AssigneeId, false),
            id => Column::AssigneeId.eq(id),
        });
        let watched = self.watched.map(|is_on| {
            let own = Column::Id.in_subquery(watcher::drifts_of(caller));
            if is_on { own } else { own.not() }
        });
        Some(Condition::all().add_option(assignee).add_option(watched))
    }
}
