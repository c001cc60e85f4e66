use serde::Deserialize;
use utoipa::ToSchema;

use super::{csv, sarif};
use crate::drift::DriftView;
use crate::error::DriftError;
use crate::export::{File, json_items};

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Csv,
    /// A list of drifts as the API returns them.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl Format {
    pub(super) const fn file(self) -> File {
        let (name, media_type) = match self {
            Self::Csv => ("drifts.csv", "text/csv; charset=utf-8"),
            Self::Json => ("drifts.json", "application/json"),
            Self::Sarif => ("drifts.sarif", "application/sarif+json"),
        };
        File { name, media_type }
    }

    /// The text before the first drift.
    pub(super) fn begin(self) -> Result<Vec<u8>, DriftError> {
        match self {
            Self::Csv => csv::header(),
            Self::Json => Ok(b"[".into()),
            Self::Sarif => Ok(sarif::BEGIN.into()),
        }
    }

    /// The texts of some drifts. `is_first` tells whether they begin the list.
    pub(super) fn write(self, drifts: Vec<DriftView>, is_first: bool) -> Result<Vec<u8>, DriftError> {
        match self {
            Self::Csv => csv::rows(&drifts),
            Self::Json => json_items(drifts, is_first),
            Self::Sarif => json_items(drifts.iter().map(sarif::result), is_first),
        }
    }

    /// The text after the last drift.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::Csv => b"",
            Self::Json => b"]\n",
            Self::Sarif => sarif::END,
        }
    }
}
