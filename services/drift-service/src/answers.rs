//! The envelopes of this service's answers, for the OpenAPI document.

use serde::Serialize;
use utoipa::ToSchema;

use crate::alert::AlertView;
use crate::drift::DriftView;

macro_rules! envelope {
    ($name:ident, $data:ty) => {
        #[derive(Serialize, ToSchema)]
        #[doc = concat!("`data` in the envelope of success.")]
        pub struct $name {
            success: bool,
            data: $data,
        }
    };
    ($name:ident, page of $item:ty) => {
        #[derive(Serialize, ToSchema)]
        #[doc = "A page in the envelope of success."]
        pub struct $name {
            success: bool,
            data: Vec<$item>,
            page: PageInfo,
        }
    };
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    limit: u64,
    /// Absent on the last page.
    next_cursor: Option<String>,
}

envelope!(DriftAnswer, DriftView);
envelope!(DriftList, page of DriftView);
envelope!(AlertAnswer, AlertView);
envelope!(AlertList, page of AlertView);
envelope!(AuditList, page of crate::audit::AuditView);
envelope!(SummaryAnswer, crate::summary::Summary);
envelope!(IngestAnswer, crate::ingest::IngestReport);
envelope!(ReportAnswer, crate::drift::ReportOutcome);
envelope!(BulkAnswer, Vec<crate::drift::BulkOutcome>);
envelope!(ReadCountAnswer, crate::alert::ReadCount);

/// Success with nothing to say.
#[derive(Serialize, ToSchema)]
pub struct EmptyAnswer {
    success: bool,
    data: Option<()>,
}
