use crate::json::Json;
use crate::kind::Kind;
use crate::marks::Marks;

/// What a tool wrote about one resource: not compared, not rated, not redacted.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub kind: Kind,
    pub address: String,
    /// Where the resource was before it was moved.
    pub previous_address: Option<String>,
    pub resource_type: String,
    /// The id, where the tool names it outside of the states.
    pub resource_id: Option<String>,
    pub expected: Option<Json>,
    pub actual: Option<Json>,
    pub expected_marks: Marks<'a>,
    pub actual_marks: Marks<'a>,
    /// Marks what the expected state does not know yet.
    pub unknown: Marks<'a>,
    pub provider: Provider<'a>,
    /// Only computed attributes differ: a plan would change nothing.
    pub is_state_only: bool,
    /// The resource is missing because nobody has created it yet.
    pub is_planned: bool,
    /// The tool tells that the resource drifts, and not how.
    pub lacks_states: bool,
}

impl Entry<'_> {
    pub fn new(kind: Kind, address: String, resource_type: String) -> Self {
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
            is_planned: false,
            lacks_states: false,
        }
    }
}

/// The provider of a resource, and where its configuration says that it works.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provider<'a> {
    /// Such as `registry.terraform.io/hashicorp/aws`.
    pub name: Option<&'a str>,
    /// Such as `aws.west`: the same address of a provider may have several configurations.
    pub config: Option<&'a str>,
    pub region: Option<&'a str>,
    pub account: Option<&'a str>,
}
