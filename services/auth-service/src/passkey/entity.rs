use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, QueryOrder};
use webauthn_rp::AuthenticatedCredential;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::PublicKeyCredentialDescriptor;
use webauthn_rp::request::register::{USER_HANDLE_MAX_LEN, UserHandle64};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, Backup, CredentialId};

/// Maximum number of passkeys of a user.
pub const MAX_PER_USER: u64 = 20;

/// A passkey of a user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkeys", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    /// In base64url, as browsers send it.
    #[sea_orm(unique)]
    pub credential_id: String,
    /// The site that the passkey belongs to; see [`crate::passkey::Relying`].
    pub rp_id: String,
    /// The public key and the extensions of the registration, as `webauthn_rp` encodes them, in base64url.
    pub public_key: String,
    /// A byte with the transports, then the sign counter and the flags as `webauthn_rp` encodes them, in base64url.
    pub state: String,
    /// Whether the authenticator has a copy of the passkey elsewhere, such as in the account of a vendor.
    pub is_backed_up: bool,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A public key as it is stored.
pub type StoredKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;
/// A passkey as `webauthn_rp` checks it.
pub type Credential<'a> = AuthenticatedCredential<'a, 'a, USER_HANDLE_MAX_LEN, StoredKey>;

impl Model {
    /// Returns the id in bytes. `None` if the row is damaged.
    pub fn raw_id(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(&self.credential_id).ok()
    }

    /// Returns what a browser needs to find the passkey.
    pub fn descriptor(&self) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
        let (transports, _) = self.transports_and_state()?;
        let transports = AuthTransports::decode(transports).ok()?;
        Some(PublicKeyCredentialDescriptor { id: CredentialId::decode(self.raw_id()?).ok()?, transports })
    }

    /// Returns the passkey for a check. `raw_id` is [`Model::raw_id`].
    pub fn credential<'a>(&self, raw_id: &'a [u8], handle: &'a UserHandle64) -> Option<Credential<'a>> {
        let (_, state) = self.transports_and_state()?;
        let key = URL_SAFE_NO_PAD.decode(&self.public_key).ok()?;
        let key = StaticState::decode(key.as_slice()).ok()?;
        AuthenticatedCredential::new(CredentialId::decode(raw_id).ok()?, handle, key, state).ok()
    }

    fn transports_and_state(&self) -> Option<(u8, DynamicState)> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.state).ok()?;
        let (transports, state) = bytes.split_first()?;
        Some((*transports, DynamicState::decode(state.try_into().ok()?).ok()?))
    }

    /// Records a use, with the sign counter and the flags of the authenticator.
    pub async fn record_use(
        self,
        db: &impl ConnectionTrait,
        state: DynamicState,
        now: DateTime<Utc>,
    ) -> Result<Self, DbErr> {
        let transports = self.transports_and_state().map_or(0, |(transports, _)| transports);
        let change = ActiveModel {
            id: Set(self.id),
            state: Set(encode_state(transports, state)),
            is_backed_up: Set(is_backed_up(state)),
            last_used_at: Set(Some(now)),
            ..Default::default()
        };
        change.update(db).await
    }

    pub async fn rename(self, db: &impl ConnectionTrait, name: String) -> Result<Self, DbErr> {
        ActiveModel { id: Set(self.id), name: Set(name), ..Default::default() }.update(db).await
    }
}

/// The stored form of the parts of a passkey that change.
pub fn encode_state(transports: u8, state: DynamicState) -> String {
    let Ok(state) = state.encode();
    URL_SAFE_NO_PAD.encode([&[transports], state.as_slice()].concat())
}

pub fn is_backed_up(state: DynamicState) -> bool {
    matches!(state.backup, Backup::Exists)
}

/// The passkey with this id of the browser, of the site `rp_id`.
pub async fn by_credential(
    db: &impl ConnectionTrait,
    credential_id: &str,
    rp_id: &str,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find().filter(Column::CredentialId.eq(credential_id));
    found.filter(Column::RpId.eq(rp_id)).one(db).await
}

/// Whether a passkey of any site has this id.
pub async fn is_taken(db: &impl ConnectionTrait, credential_id: &str) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(Column::CredentialId.eq(credential_id)).count(db).await? > 0)
}

/// A passkey of this user.
pub async fn own(db: &impl ConnectionTrait, user_id: Uuid, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(Column::UserId.eq(user_id)).one(db).await
}

/// The passkeys of a user, oldest first, also those of a former `PUBLIC_URL`.
pub async fn of_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, DbErr> {
    let own = Entity::find().filter(Column::UserId.eq(user_id));
    own.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

pub async fn count_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<u64, DbErr> {
    Entity::find().filter(Column::UserId.eq(user_id)).count(db).await
}

/// Deletes all passkeys of a user. Returns their number.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await?.rows_affected)
}
