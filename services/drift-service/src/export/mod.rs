//! Exports: lists as files, streamed page by page, so that a long list takes no more memory than a short one.

mod csv;
mod format;
mod stream;

pub(crate) use csv::CsvWriter;
pub(crate) use format::{json_items, text, time};
pub(crate) use stream::{File, Page, Pages, respond};
