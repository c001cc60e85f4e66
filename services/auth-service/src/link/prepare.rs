//! Writes the mail of each requested link, or none.
//!
//! Runs after the response, so that no response shows whether an address has an account. Any number of
//! replicas may run it at once.

use anyhow::Result;
use chrono::TimeDelta;
use contracts::events::auth::PasswordResetRequested;
use database::Transaction;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait};

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::link::entity as link;
use crate::link::entity::Purpose;
use crate::login::account_locks::FAMILIAR_FOR;
use crate::login::known_network;
use crate::mail_queue::entity::{self as mail, MailContent, NewMail, Template};
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::audit_row;

const BATCH: u64 = 100;
/// Maximum number of mails that strangers can cause for one address in an hour, and in a day.
const PER_HOUR: u64 = 5;
const PER_DAY: u64 = 20;

/// Prepares all requested links.
pub async fn prepare_all(state: &State) -> Result<()> {
    loop {
        let links = link::unprepared(&state.database, BATCH).await?;
        let is_last = (links.len() as u64) < BATCH;
        for link in links {
            prepare(state, link).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn prepare(state: &State, link: link::Model) -> Result<(), DbErr> {
    let now = state.platform.clock().now();
    let mut transaction = state.database.begin().await?;
    if !link::claim(&transaction, link.id, now).await? {
        return Ok(());
    }
    let owner = owner(&transaction, &link).await?;
    let template = template(&link, owner.as_ref());
    let is_limited = is_limited(state, &transaction, &link, owner.as_ref()).await?;
    state.metrics.link(link.purpose, if is_limited { "limited" } else { "prepared" });
    let Some(template) = template.filter(|_| !is_limited) else {
        link::revoke(&transaction, link.id, now).await?;
        return transaction.commit().await;
    };
    let user_id = owner.as_ref().map(|owner| owner.id);
    if template == Template::SignUpTaken {
        link::revoke(&transaction, link.id, now).await?;
    } else if link.user_id.is_none() && link.purpose != Purpose::SignUp {
        let found = link::ActiveModel { id: Set(link.id), user_id: Set(user_id), ..Default::default() };
        found.update(&transaction).await?;
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
async fn owner(tx: &Transaction, link: &link::Model) -> Result<Option<user::Model>, DbErr> {
    let owner = match (link.user_id, Email::parse(&link.email)) {
        (Some(id), _) => user::by_id(tx, id).await?,
        (None, Ok(email)) => user::by_email(tx, &email).await?,
        (None, Err(_)) => None,
    };
    // The address of a disabled user is taken nevertheless.
    Ok(owner.filter(|owner| owner.is_active || link.purpose == Purpose::SignUp))
}

/// The template of the mail. `None` if no mail is sent.
fn template(link: &link::Model, owner: Option<&user::Model>) -> Option<Template> {
    let template = match (link.purpose, owner) {
        (Purpose::SignUp, None) => Template::SignUp,
        (Purpose::SignUp, Some(_)) => Template::SignUpTaken,
        (Purpose::Invitation, _) => Template::Invitation,
        (Purpose::ResetPassword, Some(_)) => Template::ResetPassword,
        (Purpose::VerifyEmail, Some(_)) => Template::VerifyEmail,
        (Purpose::ChangeEmail, Some(_)) => Template::ChangeEmail,
        (Purpose::UndoEmail, Some(_)) => Template::EmailChanged,
        (Purpose::LogIn, Some(_)) => Template::LogIn,
        (_, None) => return None,
    };
    Some(template)
}

/// Whether the address has received too many mails. A network that its owner logs in from counts alone, so that
/// strangers cannot use up the mails of the owner.
async fn is_limited(
    state: &State,
    tx: &Transaction,
    link: &link::Model,
    owner: Option<&user::Model>,
) -> Result<bool, DbErr> {
    // Requests of admins and of this service have limits of their own.
    let Some(network) = link.network.as_deref() else { return Ok(false) };
    let now = state.platform.clock().now();
    let own = match owner.map(|owner| owner.id) {
        Some(id) if known_network::is_familiar(tx, id, network, now - FAMILIAR_FOR).await? => Some(network),
        _ => None,
    };
    let in_an_hour = link::count_sent(tx, &link.email, own, now - TimeDelta::hours(1)).await?;
    let in_a_day = link::count_sent(tx, &link.email, own, now - TimeDelta::days(1)).await?;
    // Both include this link.
    Ok(in_an_hour > PER_HOUR || in_a_day > PER_DAY)
}
