//! Keeps the keys of this process as the database has them, and replaces a key when its time is over. Any number of
//! replicas may do this at once.

use anyhow::{Context, Result};
use aws_lc_rs::signature::Ed25519KeyPair;
use backplane::Mark;
use chrono::{DateTime, TimeDelta, Utc};
use identity::{Opened, SigningKey, Unreadable, key_mark, withdrawn_key_mark};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, SqlErr};

use crate::service_token::entity as service_token;
use crate::signing_key::entity as signing_key;
use crate::signing_key::schedule::Candidate;
use crate::state::State;
use crate::user::locked_user::longest_token_life;

/// Time for which other services keep an announced key without a new announcement.
const MARK_LIFE: TimeDelta = TimeDelta::days(7);
/// Time for which a replica may sign with a key after another has replaced it: a sweep and the difference of the clocks.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// A key that is not withdrawn, and its decrypted private key.
struct Held {
    row: signing_key::Model,
    private: Option<SigningKey>,
}

impl Held {
    fn open(state: &State, row: signing_key::Model) -> Self {
        Self { private: private_key(state, &row), row }
    }

    fn is_unreadable(&self) -> bool {
        self.private.is_none() && self.row.private_key.is_some()
    }

    fn candidate(&self) -> Candidate {
        let signing_key::Model { created_at, announced_at, .. } = self.row;
        Candidate { created_at, announced_at, can_sign: self.private.is_some() }
    }
}

/// Reads the keys, creates one if it is time, and signs with the right one from now on. Does nothing if the settings
/// name a key.
pub async fn renew(state: &State) -> Result<()> {
    let keys = &state.platform.tokens().keys;
    if !keys.are_issued() {
        return Ok(());
    }
    let (now, schedule) = (state.platform.clock().now(), state.settings.key_schedule());
    let (mut held, last_number) = read(state, now).await?;
    if schedule.is_due(&held.iter().map(Held::candidate).collect::<Vec<_>>(), now) {
        create(state, &state.database, last_number + 1, now).await?;
        (held, _) = read(state, now).await?;
    }
    let candidates = held.iter().map(Held::candidate).collect::<Vec<_>>();
    let signing = schedule.signing(&candidates, now).context("no key can sign")?;
    for held in &held {
        keys.accept(&held.row.public_key, now + MARK_LIFE)?;
    }
    if let Some(private) = &held[signing].private {
        keys.sign_with(private.clone());
    }
    for (old, next) in held[..signing].iter().zip(&held[1..]) {
        // A replica with another secret may still sign with it, until it replaces its key by itself.
        if old.is_unreadable() && now < old.row.created_at + schedule.rotation * 2 {
            continue;
        }
        let replaced_at = next.row.announced_at.map_or(now, |at| at + schedule.lead());
        retire(state, &old.row, replaced_at, now).await?;
    }
    Ok(())
}

/// Creates the key with a number. Returns false if another replica was faster.
pub async fn create(
    state: &State,
    db: &impl ConnectionTrait,
    number: i64,
    now: DateTime<Utc>,
) -> Result<bool> {
    let pkcs8 = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1());
    let pkcs8 = pkcs8.ok().context("cannot create a key")?;
    let key = SigningKey::from_pkcs8(pkcs8.as_ref())?;
    let id = key.id().context("the new key has no id")?;
    let row = signing_key::ActiveModel {
        id: Set(id.to_owned()),
        number: Set(number),
        public_key: Set(key.public_key()?),
        private_key: Set(Some(state.key_seal.close(id, pkcs8.as_ref())?)),
        created_at: Set(now),
        announced_at: Set(None),
        withdrawn_at: Set(None),
    };
    match row.insert(db).await {
        Ok(row) => tracing::info!(id = row.id, "created a key that signs access tokens"),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

/// Returns the keys that other services must know. Empty if the settings name a key.
pub async fn to_announce(state: &State) -> Result<Vec<signing_key::Model>, DbErr> {
    if state.platform.tokens().keys.are_issued() {
        signing_key::all(&state.database).await
    } else {
        Ok(vec![])
    }
}

/// The mark by which other services know a key, or know that it is withdrawn.
pub fn mark(row: &signing_key::Model, now: DateTime<Utc>) -> Mark {
    match row.withdrawn_at {
        // Outlives the mark that announced the key.
        Some(at) => withdrawn_key_mark(&row.id, at + MARK_LIFE * 2),
        None => key_mark(&row.public_key, now + MARK_LIFE),
    }
}

/// Reads the keys that are not withdrawn, oldest first, and the number of the last key. Forgets the withdrawn keys.
async fn read(state: &State, now: DateTime<Utc>) -> Result<(Vec<Held>, i64)> {
    let mut held = Vec::new();
    let rows = signing_key::all(&state.database).await?;
    let last_number = rows.last().map_or(0, |row| row.number);
    for row in rows {
        match row.withdrawn_at {
            None => held.push(Held::open(state, row)),
            Some(at) if at + MARK_LIFE * 2 < now => signing_key::delete(&state.database, &row.id).await?,
            Some(_) => state.platform.tokens().keys.withdraw(&row.id),
        }
    }
    // The secret changed: from now on, the previous one is not needed any more.
    for Held { row, .. } in &held {
        if let Some(sealed) = &row.private_key
            && let Ok(Opened { content, is_outdated: true }) = state.key_seal.open(&row.id, sealed)
        {
            let sealed = state.key_seal.close(&row.id, &content)?;
            signing_key::set_private_key(&state.database, &row.id, Some(sealed)).await?;
        }
    }
    Ok((held, last_number))
}

fn private_key(state: &State, row: &signing_key::Model) -> Option<SigningKey> {
    let sealed = row.private_key.as_ref()?;
    let opened = state.key_seal.open(&row.id, sealed);
    let key = opened
        .and_then(|Opened { content, .. }| SigningKey::from_pkcs8(&content).map_err(|_error| Unreadable));
    key.inspect_err(|error| {
        tracing::warn!(
            %error,
            id = row.id,
            "a signing key is replaced before its time: neither JWT_REFRESH_SECRET nor JWT_REFRESH_SECRET_PREVIOUS fits"
        );
    })
        .ok()
}

/// Erases the private key of a key that another one replaced. Deletes the row when no token of the key is valid any
/// more.
async fn retire(
    state: &State,
    row: &signing_key::Model,
    replaced_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if row.private_key.is_some() {
        signing_key::set_private_key(&state.database, &row.id, None).await?;
    }
    let last_use = replaced_at + OVERLAP;
    let is_needed = now <= last_use + longest_token_life(state)
        || service_token::any_valid_of(&state.database, row.created_at, last_use, now).await?;
    if !is_needed {
        signing_key::delete(&state.database, &row.id).await?;
    }
    Ok(())
}
