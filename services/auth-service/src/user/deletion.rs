//! Deletes users. A deleted user's row stays without personal data: audit rows refer to its id, and the marks
//! that make the user's tokens invalid are restored from it.

use std::net::IpAddr;

use contracts::Role;
use contracts::events::auth::{EndReason, UserDeleted};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::caller::Person;
use crate::compat::settings as user_settings;
use crate::error::AuthError;
use crate::limits;
use crate::login::attempt::account;
use crate::login::{failure as login_failure, known_network as login_network};
use crate::password::{self, Password};
use crate::service_token::entity as service_token;
use crate::session::entity as session;
use crate::state::State;
use crate::user::confirm_password::confirm_password;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedAdmins, LockedUser};

/// Deletes the caller's account. Returns the number of ended sessions.
pub async fn delete_own(
    state: &State,
    person: Person,
    current: Password,
    ip: IpAddr,
) -> Result<usize, AuthError> {
    let (known, _attempt) = confirm_password(state, &person, current, ip).await?;
    limits::admit_success(state, person.id).await?;
    let user = lock(state, person.id, Initiator::service_itself()).await?;
    user.check_confirmed(&known, person.session.id).await?;
    delete(user).await
}

/// Deletes a user. Returns the number of ended sessions.
pub async fn delete_by_admin(state: &State, id: Uuid, admin: Uuid, ip: IpAddr) -> Result<usize, AuthError> {
    // The address of a deleted user must not stay, even if it is the admin's own.
    let ip = (admin != id).then_some(ip);
    delete(lock(state, id, Initiator { ip, actor: Some(admin) }).await?).await
}

async fn lock(state: &State, id: Uuid, initiator: Initiator) -> Result<LockedUser<'_>, AuthError> {
    let admins = LockedAdmins::lock(state, initiator).await?;
    if admins.ids == [id] {
        return Err(AuthError::LastAdmin);
    }
    admins.lock_user(id).await
}

async fn delete(mut user: LockedUser<'_>) -> Result<usize, AuthError> {
    let id = user.row.id;
    let ended = user.end_all(None, EndReason::AccountDeleted).await?;
    user.end_service_tokens(None, EndReason::AccountDeleted).await?;
    erase_traces(&user.transaction, &user.row).await?;
    user.transaction.erase_published(id).await?;
    let tombstone = user::ActiveModel {
        name: Set("Deleted user".into()),
        email: Set(format!("deleted-{id}@deleted.invalid")),
        password: Set(password::unusable()),
        role: Set(Role::Viewer),
        is_active: Set(false),
        account_id: Set(None),
        search: Set(String::new()),
        email_verified_at: Set(None),
        deleted_at: Set(Some(user.now)),
        time_zone: Set(None),
        language: Set(None),
        notifications: Set(None),
        last_login_at: Set(None),
        last_activity_at: Set(None),
        ..Default::default()
    };
    user.update_and_outdate_tokens(tombstone).await?;
    user.audit(Action::UserDeleted, None, None);
    user.transaction.emit(UserDeleted { user_id: id });
    user.commit().await?;
    Ok(ended)
}

/// Erases the personal data of a user outside the user's row.
async fn erase_traces(db: &impl ConnectionTrait, user: &user::Model) -> Result<(), DbErr> {
    session::erase_origins(db, user.id).await?;
    service_token::erase_names(db, user.id).await?;
    audit_log::erase_addresses(db, user.id).await?;
    login_network::delete_of(db, user.id).await?;
    user_settings::delete_of(db, user.id).await?;
    if let Ok(email) = Email::parse(&user.email) {
        login_failure::delete_of(db, &account(&email)).await?;
    }
    delete_mail(db, user.id, Some(&user.email)).await
}

/// Deletes the one-time links and the mails of a user, and those to an address.
pub async fn delete_mail(db: &impl ConnectionTrait, id: Uuid, address: Option<&str>) -> Result<(), DbErr> {
    for (table, column) in [("links", "email"), ("mails", "recipient")] {
        let to_address = address.map(|address| Expr::col(column).eq(address));
        let rows = to_address.into_iter().fold(Expr::col("userId").eq(id), ExprTrait::or);
        db.execute(Query::delete().from_table(table).and_where(rows)).await?;
    }
    Ok(())
}
