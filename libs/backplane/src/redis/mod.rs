//! The backplane on Redis: a stream as the log, pub/sub for announcements, a sorted set for marks.

mod exchange;
mod keys;
mod known_log;
mod locator;
mod log;
mod marks;
mod names;
mod refusal;
mod route;
mod shared;
mod subscriber;
mod target;
mod timeouts;

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use contracts::Clock;
use futures_util::FutureExt;
use redis::Script;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::link::new_link;
use crate::{Announcer, Condition, Drivers, Epochs, Error, Link, Options, Result};
use known_log::Newest;
use locator::Locator;
use names::Names;
use route::Route;
use subscriber::Subscriber;
use target::Target;

pub use target::server_urls;

static APPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("append.lua")));
static MARK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("mark.lua")));
static HOLD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hold.lua")));

struct Redis {
    route: Arc<Route>,
    condition: Arc<Condition>,
    names: Arc<Names>,
    clock: Clock,
    log_length: usize,
    log_age: Duration,
    known_log: Newest,
    epochs: Epochs,
    _subscriber: AbortOnDropHandle<()>,
}

pub(crate) fn open(url: &str, options: Options) -> Result<Drivers> {
    let (announcer, (link_tx, link)) = (Announcer::default(), new_link());
    let redis = Redis::open(url, options, announcer.clone(), link_tx)?;
    Ok(Drivers { log: redis.clone(), marks: redis.clone(), keys: redis, announcer, link })
}

impl Redis {
    fn open(
        url: &str,
        options: Options,
        announcer: Announcer,
        link: watch::Sender<Link>,
    ) -> Result<Arc<Self>> {
        let Options { clock, tasks, channels, tls, server_check, prefix, log_length, log_age } = options;
        let target = Target::parse(url)?;
        let names = Arc::new(Names::new(&prefix, matches!(target.form, target::Form::Cluster)));
        let locator = Locator::new(target, tls, server_check, names.log.clone());
        let locator = locator.map_err(|error| Error::Certificates(error.into()))?;
        let route = Arc::new(Route::new(locator, tasks.clone(), names.probe.clone()));
        let patterns = contracts::events::LOGGED_CHANNELS.into_iter().map(String::from).chain(channels);
        let patterns = patterns.map(|pattern| names.channel(&pattern)).collect();
        let condition = Arc::new(Condition::new(link));
        Ok(Arc::new_cyclic(|redis: &Weak<Self>| {
            let redis = Weak::clone(redis);
            // The log must have what this process has appended, or begin anew.
            let look = move || {
                let redis = Weak::clone(&redis);
                async move {
                    match redis.upgrade() {
                        Some(redis) => redis.look_at_log().await.is_ok(),
                        None => false,
                    }
                }
                .boxed()
            };
            let subscriber = Subscriber::new(
                Box::new(look),
                Arc::clone(&route),
                Arc::clone(&names),
                patterns,
                announcer,
                Arc::clone(&condition),
            );
            let listening = async move {
                subscriber.run().await;
                Ok::<(), Infallible>(())
            };
            let _subscriber = AbortOnDropHandle::new(tasks.spawn("redis subscriber", listening));
            let (known_log, epochs) = (Newest::default(), Epochs::default());
            Self { route, condition, names, clock, log_length, log_age, known_log, epochs, _subscriber }
        }))
    }
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}
