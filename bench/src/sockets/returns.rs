//! Features that the compared servers lack: clients that resume after missed events, and sessions that end.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::Scale;
use super::events::User;
use super::results::{Metric, Results};
use super::scenarios::{Crowd, micros};
use super::server::Kind;
use crate::measure::Times;
use crate::progress::progress;

const REVOKED: u16 = 4403;
const KIND: Kind = Kind::GatewayPlain;

/// Disconnects many clients, lets them miss the same events, and lets all resume at once.
pub(super) async fn resume_storm(scale: &Scale, users: &[User], results: &Results) -> Result<()> {
    progress(&format!("{}: resume storm", KIND.name()));
    let mut crowd = Crowd::gather(KIND, users, results).await?;
    crowd.grow(scale.returning, Some("drifts")).await?;
    let places = crowd.sockets.drain(..).map(|socket| socket.authorized.clone()).collect::<Vec<_>>();
    let missed = crowd.server.publisher.drifts(scale.missed)?;
    crowd.server.publisher.append(&missed).await?;
    crowd.grow(scale.returning, None).await?;
    crowd.server.rests().await;

    crowd.tally.reset();
    let expected = (scale.missed * scale.returning) as u64;
    let (started, before) = (Instant::now(), crowd.server.cpu());
    for (socket, place) in crowd.sockets.iter().zip(&places) {
        let (epoch, seq, id) = (&place["epoch"], &place["seq"], &place["sessionId"]);
        let resume = json!({"type": "resume", "epoch": epoch, "seq": seq, "sessionId": id});
        socket.send(&resume.to_string()).await?;
    }
    let received = crowd.tally.wait_for(expected).await;
    let (took, spent) = (started.elapsed(), crowd.server.spent_since(&before));
    crowd.add(Metric::Lost, expected.saturating_sub(received) as f64);
    crowd.add(Metric::OutOfOrder, crowd.tally.out_of_order() as f64);
    crowd.add(Metric::Resume, micros(spent) / received.max(1) as f64);
    crowd.add(Metric::ResumeTime, took.as_secs_f64() * 1e3);
    Ok(())
}

/// Measures the time from the event that ends a session to the close frame of its socket.
pub(super) async fn revocations(scale: &Scale, users: &[User], results: &Results) -> Result<()> {
    progress(&format!("{}: revocations", KIND.name()));
    let mut crowd = Crowd::gather(KIND, users, results).await?;
    crowd.grow(scale.revoked, None).await?;
    crowd.server.rests().await;

    let mut appended = Vec::new();
    for user in &users[..scale.revoked] {
        appended.push(Instant::now());
        crowd.server.publisher.append(&[crowd.server.publisher.logout(user)?]).await?;
    }
    let mut times = Times::default();
    for (socket, appended) in crowd.sockets.drain(..).zip(appended) {
        let ended = socket.ended().await.context("a revoked session's socket")?;
        ensure!(ended.code == Some(REVOKED), "closed with {:?}", ended.code);
        times.add(ended.at - appended);
    }
    crowd.add(Metric::RevocationMedian, times.percentile(50).as_secs_f64() * 1e3);
    crowd.add(Metric::RevocationSlow, times.percentile(99).as_secs_f64() * 1e3);
    Ok(())
}
