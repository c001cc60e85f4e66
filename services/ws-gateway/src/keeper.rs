//! Writes what is kept of sockets into the backplane, and gives the places of those back that have closed:
//! all that is there to be done at once, and to the last of it before the process ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use backplane::{Backplane, Hold, Put};
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
    released: Vec<Hold>,
}

impl Keeper {
    /// Notes a value for a socket; the number with which it will have been written.
    pub fn note(&self, socket: &Arc<str>, put: Put) -> u64 {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        batch.puts.insert(Arc::clone(socket), put);
        self.noted.notify_one();
        batch.number + 1
    }

    /// Gives places back.
    pub fn release(&self, holds: Vec<Hold>) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        batch.released.extend(holds);
        self.noted.notify_one();
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
        let (number, puts, released) = {
            let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
            batch.number += 1;
            (batch.number, std::mem::take(&mut batch.puts), std::mem::take(&mut batch.released))
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
        for some in released.chunks(AT_ONCE) {
            if let Err(error) = backplane.release(some).await {
                tracing::debug!(%error, "places are given back when they expire");
            }
        }
        self.written.send_replace(number);
    }
}
