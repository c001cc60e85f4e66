//! CSV for spreadsheets, which would execute a cell that begins like a formula.

use csv::{Terminator, Writer, WriterBuilder};

use crate::error::DriftError;

/// Writes lines in memory. Its cells are never formulas.
pub(crate) struct CsvWriter(Writer<Vec<u8>>);

impl CsvWriter {
    pub(crate) fn new() -> Self {
        Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new()))
    }

    pub(crate) fn line<T: AsRef<str>>(&mut self, cells: &[T]) -> Result<(), DriftError> {
        Ok(self.0.write_record(cells.iter().map(|cell| harmless(cell.as_ref())))?)
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, DriftError> {
        self.0.into_inner().map_err(|error| DriftError::Unexported(error.to_string()))
    }
}

/// Prevents that a spreadsheet executes a cell that begins like a formula.
fn harmless(cell: &str) -> String {
    let begins_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    let is_number = cell.parse::<f64>().is_ok_and(f64::is_finite);
    if begins_formula && !is_number { format!("'{cell}") } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for cell in ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "|x", "%x", "-inf"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["-12.5", "plain", "a=b", ""] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
