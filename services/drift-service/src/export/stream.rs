use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use database::Database;
use futures_util::stream;
use http::{ApiError, Caller};
use platform::Turn;
use sea_orm::DbErr;

use crate::State;
use crate::error::DriftError;

/// Number of rows that are read at once.
const LIMIT: u64 = 100;
/// The longest time for one export, so that a client that reads slowly does not keep its turn.
const LONGEST: Duration = Duration::from_secs(600);

/// The name and the type of a file.
pub(crate) struct File {
    pub name: &'static str,
    pub media_type: &'static str,
}

/// A page of a list: the rows after a place, at most `limit`.
pub(crate) struct Page<'a, T> {
    pub database: &'a Database,
    pub after: Option<T>,
    pub limit: u64,
}

/// A list that can be exported.
pub(crate) trait Pages: 'static {
    type Row;
    /// The position of a row in the list.
    type Place: Copy;

    fn file(&self) -> File;

    async fn read(&self, page: Page<'_, Self::Place>) -> Result<Vec<Self::Row>, DbErr>;

    fn place_of(&self, row: &Self::Row) -> Self::Place;

    /// Returns the text before the first row.
    fn begin(&self) -> Result<Vec<u8>, DriftError>;

    /// Returns the texts of some rows. `is_first` tells whether they begin the list.
    fn write(&self, rows: Vec<Self::Row>, is_first: bool) -> Result<Vec<u8>, DriftError>;

    /// Returns the text after the last row.
    fn end(&self) -> &'static [u8];
}

/// An export in progress.
struct Export<P: Pages> {
    state: Data<State>,
    pages: P,
    deadline: Instant,
    next: Next<P::Place>,
    /// Given back when the export ends.
    _turn: Turn,
}

enum Next<T> {
    Begin,
    After(Option<T>),
    End,
}

/// Waits for a turn, and responds with the list as a file.
///
/// # Errors
/// 503 if too many exports are in progress.
pub(crate) async fn respond(
    state: Data<State>,
    caller: &Caller,
    pages: impl Pages,
) -> Result<HttpResponse, ApiError> {
    let busy = |_| ApiError::unavailable("too many exports are in progress; try again", 5);
    let turn = state.exporting.take(&caller.user_id).await.map_err(busy)?;
    let File { name, media_type } = pages.file();
    let export = Export { state, pages, deadline: Instant::now() + LONGEST, next: Next::Begin, _turn: turn };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(stream::try_unfold(export, Export::step)))
}

impl<P: Pages> Export<P> {
    /// Returns the next part of the file. An error closes the connection, so that the client does not take the part
    /// that it has for the whole.
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, DriftError> {
        if Instant::now() > self.deadline {
            return Err(DriftError::Unexported("it took longer than ten minutes".into()));
        }
        let text = match self.next {
            Next::Begin => {
                self.next = Next::After(None);
                self.pages.begin()?
            }
            Next::After(after) => {
                let page = Page { database: &self.state.database, after, limit: LIMIT };
                let rows = self.pages.read(page).await?;
                self.next = match rows.last() {
                    Some(last) if rows.len() as u64 == LIMIT => Next::After(Some(self.pages.place_of(last))),
                    _ => Next::End,
                };
                let mut text = self.pages.write(rows, after.is_none())?;
                if matches!(self.next, Next::End) {
                    text.extend(self.pages.end());
                }
                text
            }
            Next::End => return Ok(None),
        };
        Ok(Some((text.into(), self)))
    }
}
