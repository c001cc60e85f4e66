use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const RETRY: Duration = Duration::from_millis(200);
/// Silence, even without a ping, after which a connection is abandoned, as browser clients do.
const SILENCE: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An entry in a watcher's notes, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An event, by its id.
    Event(String),
    /// A notice that events may have been missed. The watcher then read everything again.
    Resync,
}

/// A client of `/ws` that stays subscribed to the drifts despite faults, and records what it receives.
pub struct Watcher {
    notes: Arc<Mutex<Notes>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Notes {
    received: Vec<Received>,
    arrivals: Vec<Arrival>,
    connections: usize,
    resumed: usize,
    live: bool,
}

/// The times of an event.
struct Arrival {
    caused: Instant,
    arrived: Instant,
}

/// The position at which to resume.
#[derive(Clone)]
struct Place {
    epoch: String,
    seq: u64,
    socket: String,
}

impl Watcher {
    /// Connects to the `urls` in turn.
    pub fn start(urls: [String; 2], token: String, first: usize) -> Self {
        let notes = Arc::<Mutex<Notes>>::default();
        let task = tokio::spawn(watch(urls, token, first, Arc::clone(&notes)));
        Self { notes, task }
    }

    /// Waits until the watcher is subscribed.
    pub async fn until_live(&self) {
        testing::eventually("a watcher to be subscribed", async || self.with(|notes| notes.live)).await;
    }

    /// Returns everything that the watcher has received so far.
    pub fn received(&self) -> Vec<Received> {
        self.with(|notes| notes.received.clone())
    }

    /// Returns the number of connections, and how many of them resumed.
    pub fn connections(&self) -> (usize, usize) {
        self.with(|notes| (notes.connections, notes.resumed))
    }

    /// Returns how long the slowest event took that arrived after `since`, counted from its cause or from `since`,
    /// whichever was later; `None` if no event that was caused after `since` has arrived.
    pub fn slowest_since(&self, since: Instant) -> Option<Duration> {
        self.with(|notes| {
            notes.arrivals.iter().find(|event| event.caused > since)?;
            let late = notes.arrivals.iter().filter(|event| event.arrived > since);
            late.map(|event| event.arrived - event.caused.max(since)).max()
        })
    }

    fn with<T>(&self, look: impl FnOnce(&Notes) -> T) -> T {
        look(&self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(urls: [String; 2], token: String, first: usize, notes: Arc<Mutex<Notes>>) {
    let mut place = None;
    for url in urls.iter().cycle().skip(first) {
        if let Some(stream) = connect(url, &token).await {
            listen(stream, &mut place, &notes).await;
            note(&notes, |notes| notes.live = false);
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn connect(url: &str, token: &str) -> Option<Stream> {
    let mut request = url.into_client_request().expect("a well-formed URL");
    let bearer = format!("Bearer {token}").parse().expect("a token fits a header");
    request.headers_mut().insert("authorization", bearer);
    let (stream, _) = tokio::time::timeout(CONNECT_TIMEOUT, connect_async(request)).await.ok()?.ok()?;
    Some(stream)
}

/// Receives messages until the connection ends.
async fn listen(mut stream: Stream, place: &mut Option<Place>, notes: &Mutex<Notes>) {
    while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, stream.next()).await {
        let Message::Text(text) = message else { continue };
        let message: Value = serde_json::from_str(&text).expect("the gateway speaks JSON");
        if let Some(answer) = hear(&message, place, notes)
            && stream.send(Message::text(answer.to_string())).await.is_err()
        {
            return;
        }
    }
}

/// Processes one message. Returns the reply to it, if any.
fn hear(message: &Value, place: &mut Option<Place>, notes: &Mutex<Notes>) -> Option<Value> {
    match message["type"].as_str().unwrap_or_default() {
        "connection.authorized" => {
            note(notes, |notes| notes.connections += 1);
            let here = place_of(&message["payload"]);
            let Some(Place { epoch, seq, socket }) = place.replace(here) else {
                return Some(json!({"type": "subscribe", "room": "drifts", "id": "subscribe"}));
            };
            let socket_now = place.as_ref().map(|place| place.socket.clone()).unwrap_or_default();
            *place = Some(Place { epoch: epoch.clone(), seq, socket: socket_now });
            Some(json!({"type": "resume", "epoch": epoch, "seq": seq, "sessionId": socket, "id": "resume"}))
        }
        "ack" => {
            let resuming = message["id"] == "resume";
            let done = message["success"] == true && (!resuming || message["data"]["recovered"] == true);
            note(notes, |notes| {
                notes.live |= done;
                notes.resumed += usize::from(done && resuming);
            });
            // If resuming failed, subscribe from now on; a `resync` has reported the gap.
            (resuming && !done).then(|| json!({"type": "subscribe", "room": "drifts", "id": "subscribe"}))
        }
        "resync" => {
            note(notes, |notes| notes.received.push(Received::Resync));
            let payload = &message["payload"];
            if let (Some(place), Some(epoch), Some(seq)) =
                (place.as_mut(), payload["epoch"].as_str(), payload["seq"].as_u64())
            {
                (place.epoch, place.seq) = (epoch.into(), seq);
            }
            None
        }
        kind if kind.starts_with("drift:") => {
            let id = message["eventId"].as_str().unwrap_or_default().to_owned();
            let arrived = Instant::now();
            let caused = arrived.checked_sub(age(message)).expect("an event is younger than the machine");
            note(notes, |notes| {
                notes.received.push(Received::Event(id));
                notes.arrivals.push(Arrival { caused, arrived });
            });
            if let (Some(place), Some(epoch), Some(seq)) =
                (place.as_mut(), message["epoch"].as_str(), message["seq"].as_u64())
            {
                (place.epoch, place.seq) = (epoch.into(), seq);
            }
            None
        }
        _ => None,
    }
}

/// Returns the time since an event was caused.
fn age(message: &Value) -> Duration {
    let timestamp = message["timestamp"].as_str().unwrap_or_default();
    let caused = timestamp.parse::<DateTime<Utc>>().expect("every event has a timestamp");
    (Utc::now() - caused).to_std().unwrap_or_default()
}

fn place_of(payload: &Value) -> Place {
    Place {
        epoch: payload["epoch"].as_str().unwrap_or_default().into(),
        seq: payload["seq"].as_u64().unwrap_or_default(),
        socket: payload["sessionId"].as_str().unwrap_or_default().into(),
    }
}

fn note(notes: &Mutex<Notes>, change: impl FnOnce(&mut Notes)) {
    change(&mut notes.lock().unwrap_or_else(PoisonError::into_inner));
}
