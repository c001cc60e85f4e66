//! Sends mails: at least once each, with retries and backoff.
//!
//! An attempt is claimed for longer than it may take. If this process dies, the mail is sent again after that
//! time, with the same Message-ID. Any number of replicas may run this at once.

use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use mail::Mail;
use sea_orm::DbErr;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::link::entity as link;
use crate::link::prepare::prepare_all;
use crate::mail_queue::entity as mail_row;
use crate::mail_queue::render::{needs_link, render};
use crate::state::State;

/// Interval between searches for mails that another process left behind.
const INTERVAL: Duration = Duration::from_secs(2);
/// One slow batch delays the next by one attempt.
const BATCH: u64 = 16;
/// Maximum number of mails that are sent at one time.
const AT_ONCE: usize = 16;
/// The time by which a claim outlives the longest attempt.
const CLAIM_MARGIN: TimeDelta = TimeDelta::seconds(15);
/// A mail is given up after this time.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(1);

/// Writes and sends mails until `stop`. A slow mail server delays no mail that is still to be written.
pub async fn run(state: State, stop: CancellationToken) {
    let written = Notify::new();
    tokio::select! {
        () = write_requested(&state, &written) => {}
        () = send_written(&state, &written) => {}
        () = stop.cancelled() => {}
    }
}

/// Woken by the interval and by requests of this process.
async fn write_requested(state: &State, written: &Notify) {
    loop {
        if let Err(error) = prepare_all(state).await {
            tracing::warn!(error = format!("{error:#}"), "could not write the mails that were requested");
        }
        written.notify_one();
        let _elapsed = tokio::time::timeout(INTERVAL, state.mail_is_due.notified()).await;
    }
}

/// Woken by the interval and by written mails.
async fn send_written(state: &State, written: &Notify) {
    loop {
        if let Err(error) = deliver_due(state).await {
            tracing::warn!(error = format!("{error:#}"), "could not send the mails that wait");
        }
        let _elapsed = tokio::time::timeout(INTERVAL, written.notified()).await;
    }
}

/// Sends the mails that are due.
async fn deliver_due(state: &State) -> Result<()> {
    if !state.mailer.is_on() {
        return Ok(());
    }
    let due = mail_row::due(&state.database, state.platform.clock().now(), BATCH).await?;
    let mut attempts = stream::iter(due).map(|mail| deliver(state, mail)).buffer_unordered(AT_ONCE);
    while let Some(attempt) = attempts.next().await {
        // The other mails are sent nevertheless.
        if let Err(error) = attempt {
            tracing::warn!(%error, "could not record an attempt to send a mail");
        }
    }
    let (waiting, oldest) = mail_row::backlog(&state.database).await?;
    let age = oldest.map_or(0, |written| (state.platform.clock().now() - written).num_seconds());
    state.metrics.mails_waiting.set(i64::try_from(waiting)?);
    state.metrics.mail_oldest_seconds.set(age);
    Ok(())
}

async fn deliver(state: &State, mail: mail_row::Model) -> Result<(), DbErr> {
    let (now, template) = (state.platform.clock().now(), mail.template.into());
    let timeout = TimeDelta::from_std(state.settings.people.mail.smtp_timeout).unwrap_or(TimeDelta::MAX);
    if !mail_row::claim(&state.database, &mail, now + timeout + CLAIM_MARGIN).await? {
        return Ok(());
    }
    let link = match mail.link_id {
        Some(id) => link::by_id(&state.database, id).await?.filter(|link| link.check(now).is_ok()),
        None => None,
    };
    if link.is_none() && needs_link(mail.template) {
        // The link was used, revoked or expired while the mail waited.
        state.metrics.mail(template, "obsolete");
        return mail_row::set_failed(&state.database, mail.id, "obsolete", None).await;
    }
    let content = match render(state, &mail, link.as_ref()).await {
        Ok(content) => content,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), template, "could not render a mail");
            return give_up_or_retry(state, &mail, "template", false).await;
        }
    };
    let message_id = format!("<{}@{}>", mail.id, state.mailer.domain());
    match state.mailer.send(Mail { message_id, to: mail.recipient.clone(), content }, now).await {
        Ok(()) => {
            state.metrics.mail(template, "sent");
            mail_row::set_sent(&state.database, mail.id, state.platform.clock().now()).await
        }
        Err(error) => {
            tracing::warn!(mail_id = %mail.id, template, kind = error.kind, "could not send a mail");
            give_up_or_retry(state, &mail, error.kind, error.is_permanent).await
        }
    }
}

async fn give_up_or_retry(
    state: &State,
    mail: &mail_row::Model,
    failure: &str,
    is_permanent: bool,
) -> Result<(), DbErr> {
    let now = state.platform.clock().now();
    let next = now + mail_row::backoff(mail.attempts + 1);
    let is_over = is_permanent || next > mail.created_at + GIVE_UP_AFTER;
    state.metrics.mail(mail.template.into(), if is_over { "given_up" } else { "retried" });
    mail_row::set_failed(&state.database, mail.id, failure, (!is_over).then_some(next)).await
}
