//! The limits of an upload.

/// Maximum size of an upload in bytes, after unpacking.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Maximum number of plans in an upload: each is a stack with a lock and rows of its own.
pub(crate) const MAX_PLANS: usize = 500;
/// Maximum number of entries in an upload that may be drifts.
pub const MAX_ENTRIES: usize = 10_000;
/// Maximum size of one state in bytes, as JSON text.
pub const MAX_STATE_BYTES: usize = 256 * 1024;
/// Maximum bytes of the findings of an upload. They may be larger than the upload, because secrets are
/// replaced and paths are written out.
pub(crate) const MAX_KEPT_BYTES: usize = 2 * MAX_BYTES;
