use serde::Deserialize;
use utoipa::ToSchema;

use super::{csv, sarif};
use crate::drift::DriftView;
use crate::error::DriftError;

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
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Sarif => "application/sarif+json",
        }
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
        if self == Self::Csv {
            return csv::rows(&drifts);
        }
        let mut text = Vec::new();
        for (index, drift) in drifts.into_iter().enumerate() {
            if index > 0 || !is_first {
                text.extend(b",\n");
            }
            match self {
                Self::Sarif => serde_json::to_writer(&mut text, &sarif::result(&drift))?,
                _ => serde_json::to_writer(&mut text, &drift)?,
            }
        }
        Ok(text)
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
