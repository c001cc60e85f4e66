//! Recovery codes: each stands in once for a second factor that was lost.

use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sha2::{Digest, Sha256};
use totp_rs::Secret;

/// Number of codes of a user.
pub const CODES: usize = 10;
/// 80 random bits: a stored hash cannot be reversed by guessing.
const CODE_BYTES: usize = 10;
const GROUP: usize = 4;

/// A recovery code, as a hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub code_hash: String,
    pub created_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates codes such as `K7QX-3MZA-PLW2-9ABC`, in place of all earlier ones of the user, and returns them.
///
/// # Errors
/// If the database fails, or the system has no randomness.
pub async fn replace(db: &impl ConnectionTrait, user_id: Uuid, now: DateTime<Utc>) -> Result<Vec<String>> {
    let codes = (0..CODES).map(|_| generate()).collect::<Result<Vec<_>>>()?;
    delete_of(db, user_id).await?;
    let rows = codes.iter().map(|code| ActiveModel {
        id: Set(Uuid::new_v4()),
        user_id: Set(user_id),
        code_hash: Set(hash(user_id, code)),
        created_at: Set(now),
        used_at: Set(None),
    });
    Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(codes)
}

/// Uses a code. Returns `false` if it is not one of the user's, or was used before.
pub async fn use_up(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let used = ActiveModel { used_at: Set(Some(now)), ..Default::default() };
    let used = Entity::update_many().set(used).filter(Column::UserId.eq(user_id));
    let used = used.filter(Column::CodeHash.eq(hash(user_id, typed))).filter(Column::UsedAt.is_null());
    Ok(used.exec(db).await?.rows_affected == 1)
}

/// The codes of a user, used ones included.
pub async fn of_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::UserId.eq(user_id)).all(db).await
}

pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

fn generate() -> Result<String> {
    let mut bytes = [0; CODE_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| anyhow!("no randomness"))?;
    let letters = Secret::from(bytes.as_slice()).to_base32().into_bytes();
    let groups = letters.chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned());
    Ok(groups.collect::<Vec<_>>().join("-"))
}

/// Ignores what people change when they type a code: case, hyphens and spaces.
fn hash(user_id: Uuid, typed: &str) -> String {
    let typed = typed.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    hex::encode(Sha256::new().chain_update(user_id).chain_update(typed).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed_and_only_for_its_user() {
        let (user, code) = (Uuid::from_u128(1), generate().unwrap());
        assert_eq!((code.len(), code.matches('-').count()), (19, 3), "{code}");
        for typed in [code.to_lowercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " "))] {
            assert_eq!(hash(user, &typed), hash(user, &code));
        }
        assert_ne!(hash(Uuid::from_u128(2), &code), hash(user, &code));
        assert_ne!(generate().unwrap(), code);
    }
}
