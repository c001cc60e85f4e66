//! The ways in which links lose their validity before they are used or expire.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::link::entity::{ActiveModel, Column, Entity, Model, Purpose};
use crate::user::entity as user;

/// The links of a user to revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// All links to the user, except those that restore an earlier address: only their owner receives these, and
    /// a thief who can change the password must not stop them.
    OfUser,
    /// Invitations that the user sent.
    Invitations,
    /// Changes of the address.
    Changes,
}

/// Revokes open links of a user.
pub async fn revoke_of(
    db: &impl ConnectionTrait,
    user: &user::Model,
    kind: Revoked,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let wanted = match kind {
        Revoked::OfUser => {
            // A link that is not prepared yet names no user.
            let unprepared = Column::UserId.is_null().and(Column::Email.eq(&user.email));
            let unprepared = unprepared.and(Column::Purpose.is_in([Purpose::ResetPassword, Purpose::LogIn]));
            let own = Column::UserId.eq(user.id).and(Column::Purpose.ne(Purpose::UndoEmail));
            own.or(unprepared)
        }
        Revoked::Invitations => Column::InvitedBy.eq(user.id),
        Revoked::Changes => Column::UserId.eq(user.id).and(Column::Purpose.eq(Purpose::ChangeEmail)),
    };
    revoke_where(db, wanted, now).await.map(drop)
}

/// Revokes the open links of a purpose to an address.
pub async fn revoke_to(
    db: &impl ConnectionTrait,
    email: &str,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    revoke_where(db, Column::Email.eq(email).and(Column::Purpose.eq(purpose)), now).await.map(drop)
}

async fn revoke_where(db: &impl ConnectionTrait, wanted: Expr, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let revoked = ActiveModel { revoked_at: Set(Some(now)), ..Default::default() };
    let revoked = Entity::update_many().set(revoked).filter(wanted);
    let revoked = revoked.filter(Column::UsedAt.is_null().and(Column::RevokedAt.is_null()));
    Ok(revoked.exec(db).await?.rows_affected)
}

/// Revokes one link. Returns `false` if it is not open.
pub async fn revoke(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    Ok(revoke_where(db, Column::Id.eq(id), now).await? == 1)
}

/// Revokes the links that would undo changes of the email after the change that `link` undoes.
pub async fn revoke_later_undos(
    db: &impl ConnectionTrait,
    link: &Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let later = Column::UserId.eq(link.user_id).and(Column::Purpose.eq(Purpose::UndoEmail));
    revoke_where(db, later.and(Column::CreatedAt.gt(link.created_at)), now).await.map(drop)
}
