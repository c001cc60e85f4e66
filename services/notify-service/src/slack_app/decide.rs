//! Decisions from Slack: made by drift-service, with the token of the person who pressed the button.

use anyhow::{Context, Result};
use contracts::Role;
use uuid::Uuid;

use super::api::SlackApp;
use super::code::{self, Claim};
use super::drift_service::{Action, Drift, DriftService};
use super::link;
use super::reply::{self, LinkReason};
use crate::State;
use crate::destination::entity::Model as Destination;
use crate::destination::target::Target;

/// The press of a button.
#[derive(Clone, Debug)]
pub(super) struct Press {
    pub slack_user: String,
    pub slack_name: String,
    pub action: Action,
    pub drift: Uuid,
    /// The version that the message shows.
    pub version: i64,
    /// The address for responses to the person.
    pub response_url: String,
}

/// Acts on the press of a button, and responds to the person unless the decision was made: then the event about it
/// changes the message.
pub(super) async fn act(state: &State, destination: &Destination, target: &Target, press: Press) {
    let Some(app) = SlackApp::of(target) else { return };
    let text = match respond(state, destination, &press).await {
        Ok(Some(text)) => text,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), destination = %destination.id, "cannot decide from Slack");
            reply::failed()
        }
    };
    reply::send(state, &app, &press.response_url, &text).await;
}

/// Returns the text for the person, or `None` after a decision.
async fn respond(state: &State, destination: &Destination, press: &Press) -> Result<Option<String>> {
    let service = state.drift_service.as_ref().context("DRIFT_SERVICE_URL is not set")?;
    let link = link::of_slack_user(&state.database, destination.id, &press.slack_user).await?;
    let Some(link) = link else { return ask(state, destination, press, LinkReason::Unlinked).await };
    let token = state.open_slack_token(&link)?;
    let Ok(claims) = state.platform.tokens().verifier.verify(&token) else {
        return ask(state, destination, press, LinkReason::Ended).await;
    };
    if claims.role < Role::Engineer {
        return Ok(Some(reply::forbidden()));
    }
    let status = service.decide(&token, press.action, press.drift, press.version).await?;
    Ok(match status {
        200..300 => {
            tracing::info!(drift = %press.drift, action = %press.action, user = link.user_id, "decided from Slack");
            None
        }
        401 => return ask(state, destination, press, LinkReason::Ended).await,
        403 => Some(reply::forbidden()),
        404 => Some(reply::deleted()),
        409 | 412 => Some(first(state, service, &token, &link, press).await?),
        429 => Some(reply::too_many()),
        status => anyhow::bail!("drift-service responded with {status}"),
    })
}

/// Asks the person to link their Slack user.
async fn ask(
    state: &State,
    destination: &Destination,
    press: &Press,
    reason: LinkReason,
) -> Result<Option<String>> {
    let Press { slack_user, slack_name, .. } = press.clone();
    let claim = Claim { destination: destination.id, slack_user, slack_name };
    let code = code::create(state, &claim).await?;
    Ok(Some(reply::ask(state.public_url.as_deref(), &code, reason)))
}

/// Says who decided first.
async fn first(
    state: &State,
    service: &DriftService,
    token: &str,
    link: &link::Model,
    press: &Press,
) -> Result<String> {
    let drift = service.find(token, press.drift).await?;
    let Some((by, verb, at)) = decision(&drift) else { return Ok(reply::changed()) };
    let who = match by {
        Some(by) if *by == link.user_id => "You".to_owned(),
        // A person whom the workspace knows is named as Slack names them.
        Some(by) => match link::of_user_at(&state.database, link.destination_id, by).await? {
            Some(other) => format!("<@{}>", other.slack_user),
            None => "Another person".to_owned(),
        },
        None => "A scan".to_owned(),
    };
    let ago = at.map(|at| state.platform.clock().now() - at);
    Ok(reply::was_first(&who, verb, ago))
}

type Decided<'a> = (Option<&'a String>, &'static str, Option<chrono::DateTime<chrono::Utc>>);

/// Returns who changed the status of a drift, and when. `None` if it is undecided.
fn decision(drift: &Drift) -> Option<Decided<'_>> {
    match drift.status.as_str() {
        "approved" => Some((drift.approved_by.as_ref(), "approved", drift.approved_at)),
        "rejected" => Some((drift.rejected_by.as_ref(), "rejected", drift.rejected_at)),
        "resolved" => Some((drift.resolved_by.as_ref(), "resolved", drift.resolved_at)),
        _ => None,
    }
}
