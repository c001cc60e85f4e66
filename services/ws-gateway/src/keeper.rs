//! Writes what is kept of sockets into the backplane, all that is there to be written at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use backplane::{Backplane, Put};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

const AT_ONCE: usize = 500;

/// What is to be written: for each socket only the newest.
#[derive(Default)]
pub struct Keeper {
    batch: Mutex<Batch>,
    noted: Notify,
    written: watch::Sender<u64>,
}

#[derive(Default)]
struct Batch {
    number: u64,
    puts: HashMap<Arc<str>, Put>,
}

impl Keeper {
    /// Notes a value for a socket; the number with which it will have been written.
    pub fn note(&self, socket: &Arc<str>, put: Put) -> u64 {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        batch.puts.insert(Arc::clone(socket), put);
        self.noted.notify_one();
        batch.number + 1
    }

    /// Waits until what got that number is written, or is given up because the backplane is away.
    pub async fn written(&self, number: u64) {
        // An error means that the keeper is gone.
        let _ = self.written.subscribe().wait_for(|written| *written >= number).await;
    }

    /// Writes until `stop`, and then what is left. What comes while it writes is the next batch.
    pub async fn run(&self, backplane: &Backplane, stop: CancellationToken) {
        while stop.run_until_cancelled(self.noted.notified()).await.is_some() {
            self.write(backplane).await;
        }
        self.write(backplane).await;
    }

    async fn write(&self, backplane: &Backplane) {
        let (number, puts) = {
            let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
            batch.number += 1;
            (batch.number, std::mem::take(&mut batch.puts))
        };
        let puts: Vec<Put> = puts.into_values().collect();
        for some in puts.chunks(AT_ONCE) {
            if !backplane.is_connected() {
                break;
            }
            if let Err(error) = backplane.put(some).await {
                tracing::debug!(%error, "what is kept of sockets cannot be written now");
            }
        }
        self.written.send_replace(number);
    }
}
