use actix_web::HttpResponse;
use actix_web::web::Data;
use http::{ApiError, ValidQuery, Viewer};
use sea_orm::DbErr;
use uuid::Uuid;

use super::format::Format;
use crate::State;
use crate::as_of::{AsOf, AsOfParams};
use crate::audience::Audience;
use crate::drift::entity::Model;
use crate::drift::filter::filtered_query;
use crate::drift::list::{Sort, page_after};
use crate::drift::{DriftView, Filter};
use crate::error::DriftError;
use crate::export::{self, File, Page, Pages};

filtered_query! {
    /// The drifts to export, their order and the format. Lists are comma-separated, with at most 50 values.
    pub struct ExportQuery {
        #[param(inline)]
        format: Format,
        #[serde(default)]
        #[param(value_type = Option<String>, example = "-detectedAt")]
        sort: Sort,
    }
}

/// The drifts to export, for one audience.
struct Drifts {
    filter: Filter,
    sort: Sort,
    format: Format,
    audience: Audience,
}

/// Exports the drifts of a list as a file.
#[utoipa::path(get, path = "/api/v1/drifts/export", tag = "drifts", params(ExportQuery, AsOfParams),
    responses((status = 200, description = "The file", content_type = "text/csv", body = String), (status = 503)),
    security(("bearer" = ["viewer"])))]
pub async fn export_drifts(
    state: Data<State>,
    Viewer(caller): Viewer,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<ExportQuery>,
) -> Result<HttpResponse, ApiError> {
    let drifts = Drifts {
        filter: query.filter(&(&caller).into())?,
        sort: query.sort,
        format: query.format,
        audience: caller.role.into(),
    };
    Ok(as_of.on(export::respond(state, &caller, drifts).await?))
}

impl Pages for Drifts {
    type Row = Model;
    type Place = (i64, Uuid);

    fn file(&self) -> File {
        self.format.file()
    }

    async fn read(&self, page: Page<'_, Self::Place>) -> Result<Vec<Model>, DbErr> {
        page_after(page.database, self.filter.condition(), self.sort, page.after, page.limit).await
    }

    fn place_of(&self, drift: &Model) -> Self::Place {
        (self.sort.place_of(drift), drift.id)
    }

    fn begin(&self) -> Result<Vec<u8>, DriftError> {
        self.format.begin()
    }

    fn write(&self, drifts: Vec<Model>, is_first: bool) -> Result<Vec<u8>, DriftError> {
        let views = drifts.into_iter().map(|drift| DriftView::new(drift, self.audience)).collect();
        self.format.write(views, is_first)
    }

    fn end(&self) -> &'static [u8] {
        self.format.end()
    }
}
