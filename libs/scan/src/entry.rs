use contracts::drift::Kind;

use crate::json::Json;
use crate::sensitive_marks::Marks;

/// One resource as a tool wrote it: not compared, not rated, not redacted.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub kind: Kind,
    pub address: String,
    /// The address of the resource before it was moved.
    pub previous_address: Option<String>,
    pub resource_type: String,
    /// The id, if the tool names it outside the states.
    pub resource_id: Option<String>,
    pub expected: Option<Json>,
    pub actual: Option<Json>,
    pub expected_marks: Marks<'a>,
    pub actual_marks: Marks<'a>,
    /// Marks values that the expected state does not know yet.
    pub unknown: Marks<'a>,
    pub provider: Provider<'a>,
    /// Only computed attributes differ: a plan would change nothing.
    pub is_state_only: bool,
    /// A plan that is about to be applied deletes the resource and creates it again.
    pub is_replaced: bool,
    /// The resource is missing because it has not been created yet.
    pub is_planned: bool,
    /// The tool reports that the resource drifts, but not how.
    pub lacks_states: bool,
}

impl Entry<'_> {
    pub(crate) fn new(kind: Kind, address: String, resource_type: String) -> Self {
        Self {
            kind,
            address,
            previous_address: None,
            resource_type,
            resource_id: None,
            expected: None,
            actual: None,
            expected_marks: Marks::NONE,
            actual_marks: Marks::NONE,
            unknown: Marks::NONE,
            provider: Provider::default(),
            is_state_only: false,
            is_replaced: false,
            is_planned: false,
            lacks_states: false,
        }
    }
}

/// The provider of a resource, and the region and account in its configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Provider<'a> {
    /// The source address, such as `registry.terraform.io/hashicorp/aws`.
    pub name: Option<&'a str>,
    /// The configuration, such as `aws.west`: one provider may have several.
    pub config: Option<&'a str>,
    pub region: Option<&'a str>,
    pub account: Option<&'a str>,
}
