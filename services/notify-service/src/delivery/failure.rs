use chrono::TimeDelta;

/// An attempt that did not succeed.
pub struct DeliveryFailure {
    /// Such as `timeout` or `status_500`.
    pub kind: String,
    /// Another attempt would fail in the same way.
    pub is_permanent: bool,
    /// The destination does not exist any more.
    pub is_gone: bool,
    /// The time that the destination asked for.
    pub retry_after: Option<TimeDelta>,
}

impl DeliveryFailure {
    pub(crate) fn new(kind: impl Into<String>, is_permanent: bool) -> Self {
        Self { kind: kind.into(), is_permanent, is_gone: false, retry_after: None }
    }
}
