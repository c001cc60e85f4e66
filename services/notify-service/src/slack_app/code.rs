//! One-time codes with which a person links their Slack user.

use std::time::Duration;

use backplane::{Keys, Put};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::State;
use crate::error::NotifyError;

const LIFETIME: Duration = Duration::from_secs(10 * 60);
const BYTES: usize = 24;
/// Length of a code.
const LENGTH: usize = BYTES / 3 * 4;

/// The Slack user who pressed a button.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claim {
    pub destination: Uuid,
    pub slack_user: String,
    pub slack_name: String,
}

/// Creates a code for a Slack user. It works once, for ten minutes.
pub(super) async fn create(state: &State, claim: &Claim) -> Result<String, NotifyError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_error| NotifyError::NoRandom)?;
    let code = URL_SAFE_NO_PAD.encode(bytes);
    let value = serde_json::to_string(claim).unwrap_or_default();
    keys(state).put(&[Put { key: key(&code), value: Some(value), ttl: LIFETIME }]).await?;
    Ok(code)
}

/// Returns the Slack user of a code, which stays valid.
pub(super) async fn find(state: &State, code: &str) -> Result<Option<Claim>, NotifyError> {
    if !is_code(code) {
        return Ok(None);
    }
    Ok(parse(keys(state).get(&key(code)).await?))
}

/// Returns the Slack user of a code. Only one caller gets it.
pub(super) async fn take(state: &State, code: &str) -> Result<Option<Claim>, NotifyError> {
    if !is_code(code) {
        return Ok(None);
    }
    Ok(parse(keys(state).take(&key(code)).await?))
}

fn keys(state: &State) -> &dyn Keys {
    &*state.platform.backplane().keys
}

fn key(code: &str) -> String {
    format!("notify:slack-code:{code}")
}

fn is_code(text: &str) -> bool {
    text.len() == LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn parse(value: Option<String>) -> Option<Claim> {
    serde_json::from_str(&value?).ok()
}
