use contracts::Traceparent;

tokio::task_local! {
    static CURRENT: Traceparent;
}

/// Runs `work`: the events that it emits say that they belong to this trace.
pub async fn traced<F: Future>(trace: Traceparent, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// The trace that this task works for, if any.
pub fn current_trace() -> Option<Traceparent> {
    CURRENT.try_get().ok()
}
