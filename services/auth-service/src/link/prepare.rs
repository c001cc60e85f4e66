//! Writes the mail of each requested link, or none.
//!
//! Runs after the response, so that no response shows whether an address has an account. Any number of
//! replicas may run it at once.

use anyhow::Result;
use contracts::events::auth::PasswordResetRequested;
use sea_orm::{DbErr, EntityTrait};

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::limits;
use crate::link::entity as link;
use crate::link::entity::Purpose;
use crate::link::revocation;
use crate::login::account_locks::FAMILIAR_FOR;
use crate::login::attempt::account;
use crate::login::known_network;
use crate::mail_queue::entity::{self as mail, MailContent, NewMail, Template};
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::audit_row;

const BATCH: u64 = 100;

/// Prepares all requested links.
pub async fn prepare_all(state: &State) -> Result<()> {
    loop {
        let links = link::unprepared(&state.database, BATCH).await?;
        let is_last = (links.len() as u64) < BATCH;
        let mut failed = None;
        for link in links {
            // The other links are prepared nevertheless.
            failed = prepare(state, link).await.err().or(failed);
        }
        match failed {
            Some(error) => return Err(error.into()),
            None if is_last => return Ok(()),
            None => {}
        }
    }
}

async fn prepare(state: &State, link: link::Model) -> Result<(), DbErr> {
    let now = state.platform.clock().now();
    let owner = owner(state, &link).await?;
    let template = template(state, &link, owner.as_ref()).await?;
    // Counted before the transaction, which must not wait for Redis.
    let is_limited = template.is_some() && is_limited(state, &link, owner.as_ref()).await?;
    let mut transaction = state.database.begin().await?;
    if !link::claim(&transaction, link.id, now).await? {
        return Ok(());
    }
    state.metrics.link(link.purpose, if is_limited { "limited" } else { "prepared" });
    let Some(template) = template.filter(|_| !is_limited) else {
        revocation::revoke(&transaction, link.id, now).await?;
        return transaction.commit().await;
    };
    let user_id = owner.as_ref().map(|owner| owner.id);
    if template == Template::SignUpTaken {
        revocation::revoke(&transaction, link.id, now).await?;
    } else if link.user_id.is_none() && link.purpose != Purpose::SignUp {
        link::set_user(&transaction, link.id, user_id).await?;
    }
    if let (Purpose::ResetPassword, Some(user_id)) = (link.purpose, user_id) {
        transaction.emit(PasswordResetRequested { user_id });
        let row =
            audit_row(Action::PasswordResetRequested, Some(user_id), None, None, Initiator::default(), now);
        audit_log::Entity::insert(row).exec_without_returning(&transaction).await?;
    }
    let new = NewMail {
        template,
        link: (template != Template::SignUpTaken).then_some(&link),
        user_id,
        recipient: &link.email,
        language: owner.as_ref().and_then(|owner| owner.language.clone()),
        content: MailContent {
            name: owner.as_ref().map(|owner| owner.name.clone()).or_else(|| link.content.name.clone()),
            role: link.content.role.map(|role| role.to_string()),
        },
    };
    mail::write(&transaction, new, now).await?;
    transaction.commit().await
}

/// The user that the link is for: a known one, or the owner of the address.
async fn owner(state: &State, link: &link::Model) -> Result<Option<user::Model>, DbErr> {
    let owner = match (link.user_id, Email::parse(&link.email)) {
        (Some(id), _) => user::by_id(&state.database, id).await?,
        (None, Ok(email)) => user::by_email(&state.database, &email).await?,
        (None, Err(_)) => None,
    };
    // The address of a disabled user is taken nevertheless.
    Ok(owner.filter(|owner| owner.is_active || link.purpose == Purpose::SignUp))
}

/// The template of the mail. `None` if no mail is sent.
async fn template(
    state: &State,
    link: &link::Model,
    owner: Option<&user::Model>,
) -> Result<Option<Template>, DbErr> {
    let template = match (link.purpose, owner) {
        (Purpose::SignUp, None) => Template::SignUp,
        (Purpose::SignUp, Some(_)) => Template::SignUpTaken,
        (Purpose::Invitation, _) => Template::Invitation,
        (Purpose::ResetPassword, Some(_)) => Template::ResetPassword,
        (Purpose::VerifyEmail, Some(_)) => Template::VerifyEmail,
        (Purpose::ChangeEmail, Some(_)) => Template::ChangeEmail,
        (Purpose::UndoEmail, Some(_)) => Template::EmailChanged,
        (Purpose::LogIn, Some(_)) => Template::LogIn,
        (_, None) => return Ok(None),
    };
    // The owner of a taken address gets no mail.
    let is_taken = link.purpose == Purpose::ChangeEmail
        && match Email::parse(&link.email) {
            Ok(email) => user::by_email(&state.database, &email).await?.is_some(),
            Err(_) => true,
        };
    Ok((!is_taken).then_some(template))
}

/// Whether the address has received too many mails.
async fn is_limited(state: &State, link: &link::Model, owner: Option<&user::Model>) -> Result<bool, DbErr> {
    // Requests of admins and of this service have limits of their own.
    let (Some(network), Ok(email)) = (link.network.as_deref(), Email::parse(&link.email)) else {
        return Ok(false);
    };
    let since = state.platform.clock().now() - FAMILIAR_FOR;
    let is_familiar = match owner.map(|owner| owner.id) {
        Some(id) => known_network::is_familiar(&state.database, id, network, since).await?,
        None => false,
    };
    Ok(!limits::admits_mail(state, &account(&email), network, is_familiar).await)
}
