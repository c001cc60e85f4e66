use contracts::Traceparent;

tokio::task_local! {
    static CURRENT: Traceparent;
}

/// Runs `work`. The events that it emits carry this trace.
pub async fn traced<F: Future>(trace: Traceparent, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// Returns the trace that the current task belongs to, if any.
pub fn current_trace() -> Option<Traceparent> {
    CURRENT.try_get().ok()
}
