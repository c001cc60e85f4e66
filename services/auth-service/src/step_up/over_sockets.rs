//! Step-ups over open sockets, which the gateways pass on through the backplane.
//!
//! Every replica hears every request; the first one that claims it handles it. A request beyond the limits gets no
//! response, and its client hears so from the gateway.

use std::time::Duration;

use anyhow::Result;
use backplane::{Feed, FeedItem};
use contracts::events::auth::{StepUpAnswered, StepUpError, StepUpOutcome};
use contracts::{Envelope, Event, STEP_UP_ANSWERED_WITHIN, STEP_UP_CHANNEL, StepUpProof, StepUpRequest};
use futures_util::{StreamExt, stream};
use http::ApiError;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Raised, step_up};
use crate::error::AuthError;
use crate::factor::proof::FactorProof;
use crate::state::State;

/// Number of requests that may wait in this replica.
const WAITING: usize = 1_000;
/// Maximum number of requests that are handled at one time.
const AT_ONCE: usize = 16;
/// Time for which a claim is kept; far longer than a request may wait anywhere.
const CLAIMED_FOR: Duration = Duration::from_secs(60);

struct Heard {
    request: StepUpRequest,
    at: Instant,
}

impl Heard {
    /// Whether the gateway still waits for the response.
    fn is_awaited(&self) -> bool {
        self.at.elapsed() < STEP_UP_ANSWERED_WITHIN
    }
}

/// Handles requests until `stop`.
pub async fn run(state: State, stop: CancellationToken) {
    let (queue, requests) = mpsc::channel(WAITING);
    let feed = state.platform.backplane().feed_of_all_channels();
    let requests = stream::unfold(requests, async |mut requests: mpsc::Receiver<Heard>| {
        requests.recv().await.map(|heard| (heard, requests))
    });
    let handling = requests.for_each_concurrent(AT_ONCE, async |heard| {
        let (state, tasks) = (state.clone(), &state.platform.lifecycle().tasks);
        // A panic concerns this request only, and the task reports it.
        let _ended = tasks.run("step-up", async move { handle(&state, heard).await }).await;
    });
    tokio::select! {
        () = hear(feed, queue) => {}
        () = handling => {}
        () = stop.cancelled() => {}
    }
}

async fn hear(mut feed: Feed, queue: mpsc::Sender<Heard>) {
    loop {
        let FeedItem::Message(message) = feed.next().await else { continue };
        if message.channel != STEP_UP_CHANNEL {
            continue;
        }
        // No part of the message goes to the log, because it may be a code.
        match serde_json::from_str(message.envelope.payload.get()) {
            Ok(request) => {
                if queue.try_send(Heard { request, at: Instant::now() }).is_err() {
                    tracing::warn!("left out a step-up over a socket: too many wait");
                }
            }
            Err(_) => tracing::warn!("ignored an unreadable step-up over a socket"),
        }
    }
}

async fn handle(state: &State, heard: Heard) {
    let handled = async {
        if heard.is_awaited() && claim(state, &heard.request).await? {
            answer(state, heard.request).await?;
        }
        anyhow::Ok(())
    };
    if let Err(error) = handled.await {
        tracing::warn!(error = format!("{error:#}"), "could not respond to a step-up over a socket");
    }
}

/// Returns whether this replica is to handle the request.
async fn claim(state: &State, request: &StepUpRequest) -> backplane::Result<bool> {
    let key = format!("auth:step-up:{}", request.request_id);
    Ok(state.platform.backplane().keys.hit(&key, CLAIMED_FOR).await? == 1)
}

async fn answer(state: &State, request: StepUpRequest) -> Result<()> {
    let (request_id, session_id) = (request.request_id, request.session_id);
    let outcome = match raise(state, request).await {
        Ok(Raised { acr, auth_time, fresh_until, .. }) => {
            StepUpOutcome::Raised { acr, auth_time, fresh_until }
        }
        Err(error) => StepUpOutcome::Error(refused(error.into())),
    };
    let answered = StepUpAnswered { request_id, session_id, outcome };
    let body = serde_json::to_string(&Envelope::of(answered, state.platform.clock()))?;
    state.platform.backplane().log.broadcast(StepUpAnswered::TYPE, &body).await?;
    Ok(())
}

async fn raise(state: &State, request: StepUpRequest) -> Result<Raised, AuthError> {
    let StepUpRequest { user_id, session_id, ip_address, proof, .. } = request;
    let proof = match proof {
        StepUpProof::Code(code) => FactorProof { code: Some(code), ..FactorProof::default() },
        StepUpProof::Assertion(assertion) => {
            FactorProof { assertion: Some(Value::Object(assertion)), ..FactorProof::default() }
        }
    };
    let outcome = step_up(state, user_id, session_id, &proof, ip_address).await;
    state.metrics.operation("step_up", outcome)
}

fn refused(error: ApiError) -> StepUpError {
    if let Some(source) = &error.source {
        tracing::error!(error = %source, "a step-up over a socket failed");
    }
    StepUpError {
        code: error.code.into_str().into(),
        message: error.message,
        retry_after: error.retry_after_seconds,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_is_awaited_for_five_seconds() {
        let (id, proof) = (Uuid::nil(), StepUpProof::Code("123456".into()));
        let ip_address = [192, 0, 2, 1].into();
        let request = StepUpRequest { request_id: id, user_id: id, session_id: id, ip_address, proof };
        let heard = Heard { request, at: Instant::now() };
        tokio::time::advance(Duration::from_millis(4_999)).await;
        assert!(heard.is_awaited());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!heard.is_awaited());
    }
}
