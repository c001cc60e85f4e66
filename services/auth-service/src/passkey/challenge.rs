use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use webauthn_rp::response::SentChallenge;

/// The timeout of the browser's dialog.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// An open ceremony: a challenge that was sent to a browser and not yet used.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkey_challenges", rename_all = "camelCase")]
pub struct Model {
    /// The challenge in base64url.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub purpose: ChallengePurpose,
    /// The user, the session or the waiting login that asked for the challenge. `None` for [`ChallengePurpose::LogIn`].
    pub owner_id: Option<Uuid>,
    /// The server's state of the ceremony as `webauthn_rp` encodes it, in base64url.
    pub state: String,
    pub expires_at: DateTime<Utc>,
}

/// The purpose of a challenge. A challenge serves no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
pub enum ChallengePurpose {
    Register,
    /// A login without a password, for a user whom only the passkey names.
    LogIn,
    /// The second factor of a login.
    SecondFactor,
    StepUp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The stored form of a challenge.
pub fn id_of(challenge: SentChallenge) -> String {
    URL_SAFE_NO_PAD.encode(challenge.0.to_le_bytes())
}

/// Stores a challenge until it is used or expires.
pub async fn insert(
    db: &impl ConnectionTrait,
    challenge: SentChallenge,
    purpose: ChallengePurpose,
    owner: Option<Uuid>,
    state: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(id_of(challenge)),
        purpose: Set(purpose),
        owner_id: Set(owner),
        state: Set(URL_SAFE_NO_PAD.encode(state)),
        expires_at: Set(now + LIFETIME),
    };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Takes a challenge of this purpose and owner, and returns its state. Of concurrent requests, one gets it.
pub async fn take(
    db: &impl ConnectionTrait,
    challenge: SentChallenge,
    purpose: ChallengePurpose,
    owner: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, DbErr> {
    let found = Entity::find_by_id(id_of(challenge)).one(db).await?;
    let own = found.filter(|row| row.purpose == purpose && row.owner_id == owner && row.expires_at > now);
    let Some(row) = own else { return Ok(None) };
    let taken = Entity::delete_by_id(row.id).exec(db).await?.rows_affected == 1;
    Ok(if taken { URL_SAFE_NO_PAD.decode(row.state).ok() } else { None })
}

/// Deletes the expired challenges.
pub async fn purge(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(db).await.map(drop)
}
