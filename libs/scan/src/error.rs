use crate::json::JsonError;
use crate::limits::{MAX_BYTES, MAX_ENTRIES, MAX_PLANS};
use crate::redact::TooManySecrets;

const MIB: usize = 1024 * 1024;

/// The reason why an upload cannot be read. The messages are shown to the caller, and quote no values.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    #[error("not valid JSON, or not of the expected form, at line {line} column {column}")]
    Malformed { line: usize, column: usize },
    #[error("a value cannot be read: {0}")]
    Value(JsonError),
    #[error("{0}")]
    Unsupported(String),
    #[error(
        "the scan has more than {} MiB after decompression. Split the stack, or plan with -refresh-only, which leaves \
         out what does not drift",
        MAX_BYTES / MIB
    )]
    TooLarge,
    #[error(
        "the scan has more than {MAX_ENTRIES} entries that may be drifts. Split the stack, or scan its modules one by \
         one with -target and without complete=true"
    )]
    TooManyEntries,
    #[error("the upload has more than {MAX_PLANS} plans. Send them in several uploads")]
    TooManyPlans,
    #[error("the drifts of the scan take more than {} MiB to store. Split the stack", 2 * MAX_BYTES / MIB)]
    TooMuchDrift,
    #[error("the scan holds too many sensitive values to look for. Split the stack")]
    TooManySecrets,
    #[error("the scan takes too long to read. Split the stack")]
    TooSlow,
    #[error("the compressed body is damaged. Compress the file again")]
    BadCompression,
}

/// Drops serde's own messages: they quote the input, which may contain secrets.
impl From<serde_json::Error> for ScanError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

impl From<JsonError> for ScanError {
    fn from(error: JsonError) -> Self {
        Self::Value(error)
    }
}

impl From<TooManySecrets> for ScanError {
    fn from(_: TooManySecrets) -> Self {
        Self::TooManySecrets
    }
}
