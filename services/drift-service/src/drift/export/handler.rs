use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use http::{ApiError, ValidQuery, Viewer};
use platform::Turn;
use uuid::Uuid;

use super::format::Format;
use crate::State;
use crate::as_of::{AsOf, AsOfParams};
use crate::audience::Audience;
use crate::drift::filter::filtered_query;
use crate::drift::list::{Sort, page_after};
use crate::drift::{DriftView, Filter};
use crate::error::DriftError;

/// Number of drifts that are read at once.
const PAGE: u64 = 100;
/// The longest time for one export, so that a client that reads slowly does not keep its turn.
const LONGEST: Duration = Duration::from_secs(600);

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

/// An export in progress.
struct Export {
    state: Data<State>,
    filter: Filter,
    sort: Sort,
    format: Format,
    audience: Audience,
    deadline: Instant,
    next: Next,
    /// Given back when the export ends.
    _turn: Turn,
}

enum Next {
    Begin,
    After(Option<(i64, Uuid)>),
    End,
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
    let busy = |_| ApiError::unavailable("too many exports are in progress; try again", 5);
    let turn = state.exporting.take(&caller.user_id).await.map_err(busy)?;
    let (filter, format) = (query.filter(caller.role.into())?, query.format);
    let export = Export {
        filter,
        sort: query.sort,
        format,
        audience: caller.role.into(),
        deadline: Instant::now() + LONGEST,
        next: Next::Begin,
        _turn: turn,
        state,
    };
    let name = match format {
        Format::Csv => "drifts.csv",
        Format::Json => "drifts.json",
        Format::Sarif => "drifts.sarif",
    };
    let file = HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(stream::try_unfold(export, Export::step));
    Ok(as_of.on(file))
}

impl Export {
    /// Returns the next part of the file. An error closes the connection, so that the client does not take the part
    /// that it has for the whole.
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, DriftError> {
        if Instant::now() > self.deadline {
            return Err(DriftError::Unexported("it took longer than ten minutes".into()));
        }
        let text = match self.next {
            Next::Begin => {
                self.next = Next::After(None);
                self.format.begin()?
            }
            Next::After(after) => {
                let condition = self.filter.condition();
                let rows = page_after(&self.state.database, condition, self.sort, after, PAGE).await?;
                self.next = match rows.last() {
                    Some(last) if rows.len() as u64 == PAGE => {
                        Next::After(Some((self.sort.place_of(last), last.id)))
                    }
                    _ => Next::End,
                };
                let views = rows.into_iter().map(|drift| DriftView::new(drift, self.audience)).collect();
                let mut text = self.format.write(views, after.is_none())?;
                if matches!(self.next, Next::End) {
                    text.extend(self.format.end());
                }
                text
            }
            Next::End => return Ok(None),
        };
        Ok(Some((text.into(), self)))
    }
}
