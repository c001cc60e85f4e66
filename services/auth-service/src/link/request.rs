//! Requests for one-time links.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel};

use crate::error::AuthError;
use crate::limits;
use crate::link::entity as link;
use crate::link::entity::{Content, Purpose};
use crate::login::attempt::Attempt;
use crate::state::State;

/// Requests a link for an address. Known and unknown addresses do the same work: one row.
///
/// # Errors
/// If this installation sends no mail, or a limit of the network applies.
pub async fn request(
    state: &State,
    attempt: &Attempt,
    purpose: Purpose,
    content: Content,
) -> Result<link::Model, AuthError> {
    state.mailer.require()?;
    limits::admit_link(state, attempt).await?;
    let now = state.platform.clock().now();
    let row = link::new(purpose, None, &attempt.email, content, Some(attempt.network()), now);
    write(&state.database, &row).await?;
    state.mail_is_due.notify_one();
    Ok(row)
}

/// Writes a requested link. Its mail follows if the transaction commits.
pub async fn write(db: &impl ConnectionTrait, row: &link::Model) -> Result<(), DbErr> {
    link::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .map(drop)
}
