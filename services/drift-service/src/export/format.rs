//! The parts of formats that several lists share.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::DriftError;

/// Returns items of a JSON list. `is_first` tells whether they begin the list.
pub(crate) fn json_items<T: Serialize>(
    items: impl IntoIterator<Item = T>,
    is_first: bool,
) -> Result<Vec<u8>, DriftError> {
    let mut text = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 || !is_first {
            text.extend(b",\n");
        }
        serde_json::to_writer(&mut text, &item)?;
    }
    Ok(text)
}

/// Returns the cell of an optional text.
pub(crate) fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

/// Returns the cell of an optional time.
pub(crate) fn time(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.to_rfc3339()).unwrap_or_default()
}
