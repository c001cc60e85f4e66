//! The scenarios, and what a server uses in each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use backplane::Entry;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Scale;
use super::client::{Protocol, Socket, Tally};
use super::events::User;
use super::results::{Metric, Results};
use super::server::{Kind, Server};
use crate::progress::progress;

/// Number of concurrent handshakes, below the shortest backlog.
const AT_ONCE: usize = 128;
const LARGE: usize = 60_000;

/// A server, its sockets and their users.
pub(super) struct Crowd<'a> {
    pub server: Server,
    pub kind: Kind,
    pub sockets: Vec<Socket>,
    pub tally: Arc<Tally>,
    users: &'a [User],
    results: &'a Results,
}

impl<'a> Crowd<'a> {
    pub(super) async fn gather(kind: Kind, users: &'a [User], results: &'a Results) -> Result<Self> {
        let server = Server::start(kind).await?;
        server.rests().await;
        Ok(Self { server, kind, sockets: Vec::new(), tally: Arc::default(), users, results })
    }

    /// Opens sockets until there are `count`, one per user.
    pub(super) async fn grow(&mut self, count: usize, room: Option<&'static str>) -> Result<()> {
        let protocol = if self.kind == Kind::GatewayPlain { Protocol::Plain } else { Protocol::SocketIo };
        let (places, mut opening) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
        for (number, user) in self.users.iter().enumerate().take(count).skip(self.sockets.len()) {
            let (places, tally, token) = (Arc::clone(&places), Arc::clone(&self.tally), user.token.clone());
            let address = self.server.addresses[number % self.server.addresses.len()];
            opening.spawn(async move {
                let _place = places.acquire_owned().await?;
                Socket::open(address, protocol, &token, room, tally).await.map(|socket| (number, socket))
            });
        }
        let mut opened = opening.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        opened.sort_unstable_by_key(|(number, _)| *number);
        self.sockets.extend(opened.into_iter().map(|(_, socket)| socket));
        Ok(())
    }

    /// Appends events and waits until `listeners` sockets have received each. Returns the CPU time per
    /// delivery in µs.
    pub(super) async fn deliver(
        &self,
        events: &[Entry],
        per_second: Option<u32>,
        listeners: usize,
    ) -> Result<f64> {
        let expected = (events.len() * listeners) as u64;
        self.tally.reset();
        let (started, before) = (Instant::now(), self.server.cpu());
        match per_second {
            Some(per_second) => self.server.publisher.append_at_rate(events, per_second).await?,
            None => self.server.publisher.append(events).await?,
        }
        let received = self.tally.wait_for(expected).await;
        let spent = self.server.spent_since(&before);
        self.add(Metric::Lost, expected.saturating_sub(received) as f64);
        self.add(Metric::OutOfOrder, self.tally.out_of_order() as f64);
        ensure!(received > 0, "nothing was delivered by {}", self.kind.name());
        if per_second.is_none() {
            self.add(Metric::BurstTime, started.elapsed().as_secs_f64() * 1e3);
        }
        Ok(micros(spent) / received as f64)
    }

    pub(super) fn add(&self, metric: Metric, value: f64) {
        self.results.add(self.kind, metric, value);
    }
}

pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Measures many sockets: the cost of each, and of events that few of them may receive.
pub(super) async fn many(kind: Kind, scale: &Scale, users: &[User], results: &Results) -> Result<()> {
    progress(&format!("{}: {} sockets", kind.name(), scale.crowd));
    let mut crowd = Crowd::gather(kind, users, results).await?;
    let (empty, before) = (crowd.server.memory(), crowd.server.cpu());
    crowd.grow(scale.crowd, Some("alerts")).await?;
    crowd.add(Metric::Connect, micros(crowd.server.spent_since(&before)) / scale.crowd as f64);
    crowd.server.rests().await;
    let per_socket =
        |memory: [f64; 2]| [0, 1].map(|kind| (memory[kind] - empty[kind]) * 1.024 / scale.crowd as f64);
    let [rss, pss] = per_socket(crowd.server.memory());
    crowd.add(Metric::Rss, rss);
    crowd.add(Metric::Pss, pss);

    let large = crowd.server.publisher.alert(LARGE)?;
    crowd.deliver(&[large], Some(1), scale.crowd).await?;
    crowd.server.rests().await;
    let [rss, pss] = per_socket(crowd.server.memory());
    crowd.add(Metric::RssAfter, rss);
    crowd.add(Metric::PssAfter, pss);
    if kind == Kind::GatewayPlain {
        return Ok(());
    }

    crowd.grow(scale.large_crowd, Some("alerts")).await?;
    crowd.server.rests().await;
    let spent = single(&mut crowd, scale).await?;
    crowd.add(Metric::SingleAmongMany, spent);

    let mut events = Vec::new();
    for number in 0..scale.room_events {
        let user = &users[number * 7_919 % scale.large_crowd];
        events.push(crowd.server.publisher.drift(&user.account)?);
    }
    let of_account = users[..scale.large_crowd].iter().filter(|it| it.account == users[0].account).count();
    let spent = crowd.deliver(&events, Some(scale.room_rate), of_account).await?;
    crowd.add(Metric::ManyRooms, spent);
    Ok(())
}

/// Measures a crowd that receives every event: at a rate, and in one burst.
pub(super) async fn few(kind: Kind, scale: &Scale, users: &[User], results: &Results) -> Result<()> {
    progress(&format!("{}: fan-out, one of few, burst", kind.name()));
    let mut crowd = Crowd::gather(kind, users, results).await?;
    crowd.grow(scale.audience, Some("drifts")).await?;
    crowd.server.rests().await;

    let spent = fan_out(&mut crowd, scale).await?;
    crowd.add(Metric::FanOut, spent);
    let spent = single(&mut crowd, scale).await?;
    crowd.add(Metric::SingleAmongFew, spent);
    burst(&mut crowd, scale).await
}

/// Measures only the burst, for the floor that gathers writes.
pub(super) async fn only_burst(kind: Kind, scale: &Scale, users: &[User], results: &Results) -> Result<()> {
    progress(&format!("{}: burst", kind.name()));
    let mut crowd = Crowd::gather(kind, users, results).await?;
    crowd.grow(scale.audience, Some("drifts")).await?;
    crowd.server.rests().await;
    burst(&mut crowd, scale).await
}

async fn fan_out(crowd: &mut Crowd<'_>, scale: &Scale) -> Result<f64> {
    let events = crowd.server.publisher.drifts((scale.seconds * scale.fan_out_rate) as usize)?;
    crowd.deliver(&events, Some(scale.fan_out_rate), scale.audience).await
}

async fn single(crowd: &mut Crowd<'_>, scale: &Scale) -> Result<f64> {
    let user = &crowd.users[0];
    let count = scale.seconds * scale.single_rate;
    let events = (0..count).map(|_| crowd.server.publisher.login(user)).collect::<Result<Vec<_>>>()?;
    crowd.deliver(&events, Some(scale.single_rate), 1).await
}

async fn burst(crowd: &mut Crowd<'_>, scale: &Scale) -> Result<()> {
    let events = crowd.server.publisher.drifts(scale.burst)?;
    let spent = crowd.deliver(&events, None, scale.audience).await?;
    crowd.add(Metric::Burst, spent);
    Ok(())
}
