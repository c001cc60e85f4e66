//! The effects that links have on a locked user.

use contracts::events::auth::EmailVerified;
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;

use crate::audit::action::Action;
use crate::error::AuthError;
use crate::link::entity as link;
use crate::link::entity::Purpose;
use crate::link::refusal::LinkRefusal;
use crate::link::revocation;
use crate::mail_queue::entity as mail_queue;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

impl LockedUser<'_> {
    /// Marks a link as used in the transaction of its effect.
    ///
    /// # Errors
    /// If a concurrent request used or revoked the link first.
    pub async fn use_up(&mut self, link: &link::Model) -> Result<(), AuthError> {
        if link::use_up(&self.transaction, link, self.now).await? {
            return Ok(());
        }
        let now = link::by_id(&self.transaction, link.id).await?;
        let was_used = now.is_some_and(|link| link.used_at.is_some());
        Err(if was_used { LinkRefusal::Used } else { LinkRefusal::Revoked }.into())
    }

    /// Uses the link that created this user. Other sign-ups and invitations for the address end with it.
    pub async fn use_up_creating(&mut self, link: &link::Model) -> Result<(), AuthError> {
        self.use_up(link).await?;
        link::set_created(&self.transaction, link, self.row.id).await?;
        mail_queue::set_user(&self.transaction, link.id, self.row.id).await?;
        for purpose in [Purpose::SignUp, Purpose::Invitation] {
            revocation::revoke_to(&self.transaction, &self.row.email, purpose, self.now).await?;
        }
        self.note_verified(Action::EmailVerified);
        Ok(())
    }

    /// Records that the user receives mail at their address.
    pub async fn verify_email(&mut self) -> Result<(), DbErr> {
        if self.row.email_verified_at.is_none() {
            let verified = user::ActiveModel { email_verified_at: Set(Some(self.now)), ..Default::default() };
            self.update(verified).await?;
            self.note_verified(Action::EmailVerified);
        }
        Ok(())
    }

    /// Publishes and records that the address of the user is verified.
    pub fn note_verified(&mut self, action: Action) {
        self.transaction.emit(EmailVerified { user_id: self.row.id });
        self.audit(action, None, None);
    }
}
