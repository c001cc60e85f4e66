//! Step-ups that wait for auth-service. The backplane carries the requests and the responses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backplane::Backplane;
use contracts::events::auth::{StepUpAnswered, StepUpOutcome};
use contracts::{Clock, Envelope, STEP_UP_ANSWERED_WITHIN, STEP_UP_CHANNEL, StepUpProof, StepUpRequest};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use crate::protocol::ClientError;

/// Number of step-ups of this replica that may wait.
const WAITING: usize = 1_000;

/// The step-ups of this replica that wait for a response.
pub(crate) struct StepUps {
    backplane: Backplane,
    clock: Clock,
    waiting: Mutex<HashMap<Uuid, Waiting>>,
}

struct Waiting {
    connection: Arc<str>,
    session: Uuid,
    response: oneshot::Sender<StepUpOutcome>,
}

/// A step-up that waits for its response. Its place is free again when it is dropped.
pub(crate) struct Pending {
    step_ups: Arc<StepUps>,
    request: StepUpRequest,
    response: oneshot::Receiver<StepUpOutcome>,
}

impl StepUps {
    pub(crate) fn new(backplane: Backplane, clock: Clock) -> Self {
        Self { backplane, clock, waiting: Mutex::default() }
    }

    /// Reserves a place for a step-up of a connection, which may have one at a time.
    pub(crate) fn begin(
        self: &Arc<Self>,
        connection: &Arc<str>,
        user_id: Uuid,
        session_id: Uuid,
        ip: Option<IpAddr>,
        proof: StepUpProof,
    ) -> Result<Pending, ClientError> {
        let (request_id, ip_address) = (Uuid::new_v4(), ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into()));
        let mut waiting = self.lock();
        if waiting.values().any(|other| other.connection == *connection) {
            return Err(ClientError::AlreadySteppingUp);
        }
        if waiting.len() >= WAITING {
            return Err(ClientError::StepUpUnavailable);
        }
        let (sender, response) = oneshot::channel();
        let connection = Arc::clone(connection);
        waiting.insert(request_id, Waiting { connection, session: session_id, response: sender });
        let request = StepUpRequest { request_id, user_id, session_id, ip_address, proof };
        Ok(Pending { step_ups: Arc::clone(self), request, response })
    }

    /// Handles the payload of a response.
    pub(crate) fn hear(&self, payload: &str) {
        match serde_json::from_str(payload) {
            Ok(StepUpAnswered { request_id, session_id, outcome }) => {
                let mut waiting = self.lock();
                // Every replica hears every response.
                if waiting.get(&request_id).is_some_and(|waiting| waiting.session == session_id)
                    && let Some(waiting) = waiting.remove(&request_id)
                {
                    // An error means that the time is up.
                    let _ = waiting.response.send(outcome);
                }
            }
            Err(error) => tracing::warn!(%error, "received an unreadable response to a step-up"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// Sends the request, and waits for its response.
    pub(crate) async fn result(mut self) -> Result<Value, ClientError> {
        match timeout(STEP_UP_ANSWERED_WITHIN, self.ask()).await {
            Ok(Some(StepUpOutcome::Error(error))) => Err(ClientError::StepUp(error)),
            Ok(Some(raised)) => Ok(json!(raised)),
            Ok(None) | Err(_) => Err(ClientError::StepUpUnavailable),
        }
    }

    async fn ask(&mut self) -> Option<StepUpOutcome> {
        let StepUps { backplane, clock, .. } = &*self.step_ups;
        let envelope = Envelope::unplaced(STEP_UP_CHANNEL, clock.now(), &self.request);
        // Plain data with string keys: it always has a JSON form.
        let body = serde_json::to_string(&envelope).unwrap_or_default();
        if let Err(error) = backplane.log.broadcast(STEP_UP_CHANNEL, &body).await {
            tracing::warn!(%error, "could not reach auth-service for a step-up");
            return None;
        }
        (&mut self.response).await.ok()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.step_ups.lock().remove(&self.request.request_id);
    }
}

#[cfg(test)]
mod tests {
    use backplane::Options;
    use contracts::Tasks;
    use contracts::events::auth::StepUpError;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn step_ups() -> Arc<StepUps> {
        let clock = Clock::system();
        let options = Options::new(clock.clone(), Tasks::new(CancellationToken::new()));
        Arc::new(StepUps::new(Backplane::connect("memory:", options).unwrap(), clock))
    }

    fn begin(step_ups: &Arc<StepUps>, connection: &str) -> Result<Pending, ClientError> {
        let (connection, proof) = (connection.into(), StepUpProof::Code("123456".into()));
        step_ups.begin(&connection, Uuid::nil(), Uuid::nil(), None, proof)
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_response_a_step_up_fails_after_five_seconds_and_frees_its_place() {
        let (step_ups, began) = (step_ups(), Instant::now());
        let pending = begin(&step_ups, "a").unwrap();
        assert_eq!(begin(&step_ups, "a").err(), Some(ClientError::AlreadySteppingUp));
        assert_eq!(pending.result().await, Err(ClientError::StepUpUnavailable));
        assert_eq!(began.elapsed(), STEP_UP_ANSWERED_WITHIN);
        assert!(step_ups.lock().is_empty() && begin(&step_ups, "a").is_ok());
    }

    #[tokio::test]
    async fn the_places_are_limited_and_one_is_free_when_a_step_up_is_given_up() {
        let step_ups = step_ups();
        let mut all: Vec<_> =
            (0..WAITING).map(|number| begin(&step_ups, &number.to_string()).unwrap()).collect();
        assert_eq!(begin(&step_ups, "more").err(), Some(ClientError::StepUpUnavailable));
        all.pop();
        assert!(begin(&step_ups, "more").is_ok());
    }

    #[tokio::test]
    async fn only_a_response_for_its_session_ends_a_step_up() {
        let step_ups = step_ups();
        let pending = begin(&step_ups, "a").unwrap();
        let error = |code: &str| StepUpError { code: code.into(), message: String::new(), retry_after: None };
        let answer = |session_id, code| {
            let outcome = StepUpOutcome::Error(error(code));
            json!(StepUpAnswered { request_id: pending.request.request_id, session_id, outcome }).to_string()
        };
        for payload in ["{}".to_owned(), answer(Uuid::new_v4(), "OTHER"), answer(Uuid::nil(), "OWN")] {
            step_ups.hear(&payload);
        }
        assert_eq!(pending.result().await, Err(ClientError::StepUp(error("OWN"))));
    }
}
