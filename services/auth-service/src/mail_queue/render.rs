//! The text of a mail.

use anyhow::Result;
use chrono::TimeDelta;
use mail::Content;
use serde::Serialize;

use crate::link::entity::{self as link, Purpose};
use crate::mail_queue::entity::{self as mail_row, Template};
use crate::state::State;
use crate::user::entity as user;

/// The values that templates can use.
#[derive(Serialize)]
struct Values<'a> {
    name: Option<&'a str>,
    /// The recipient.
    email: &'a str,
    inviter: Option<&'a str>,
    role: Option<&'a str>,
    link: Option<String>,
    /// Six digits in two groups. Absent where only the link counts.
    code: Option<String>,
    /// The lifetime of the link, such as `1 hour`.
    expires: Option<String>,
    public_url: &'a str,
}

/// Renders a mail. Its token exists only in the result.
pub async fn render(state: &State, mail: &mail_row::Model, link: Option<&link::Model>) -> Result<Content> {
    let public_url = &*state.mailer.public_url;
    let mail_row::MailContent { name, role } = &mail.content;
    // Read now, so that no mail names a user who was deleted in the meantime.
    let inviter = match link.and_then(|link| link.invited_by) {
        Some(id) => user::by_id(&state.database, id).await?.map(|inviter| inviter.name),
        None => None,
    };
    let values = Values {
        name: name.as_deref(),
        email: &mail.recipient,
        inviter: inviter.as_deref(),
        role: role.as_deref(),
        link: link.map(|link| url(state, link)),
        code: link.filter(|link| link.purpose != Purpose::UndoEmail).map(|link| {
            let code = state.links.code(link.id);
            format!("{} {}", &code[..3], &code[3..])
        }),
        expires: link.map(|link| in_words(link.expires_at - mail.created_at)),
        public_url,
    };
    let template: &str = mail.template.into();
    state.mailer.templates.render(template, mail.language.as_deref(), &values)
}

/// The address that a mail links to. Everything after `#` stays in the browser.
pub fn url(state: &State, link: &link::Model) -> String {
    let page = match link.purpose {
        Purpose::SignUp => "confirm-sign-up",
        Purpose::ResetPassword => "reset-password",
        Purpose::VerifyEmail => "verify-email",
        Purpose::ChangeEmail => "confirm-email",
        Purpose::UndoEmail => "undo-email",
        Purpose::Invitation => "invitation",
        Purpose::LogIn => "log-in",
    };
    format!("{}/#/{page}?token={}", state.mailer.public_url, state.links.issue(link.id))
}

fn in_words(time: TimeDelta) -> String {
    // Rounded up: the mail is written a moment after its link.
    let (number, unit) = match (time.num_seconds() + 59) / 60 {
        minutes if minutes < 60 => (minutes, "minute"),
        minutes if minutes <= 72 * 60 => (minutes / 60, "hour"),
        minutes => (minutes / (24 * 60), "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// Whether a mail of this template is useless without its link.
pub fn needs_link(template: Template) -> bool {
    !matches!(template, Template::SignUpTaken | Template::PasswordResetDone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_as_people_say_them() {
        for (seconds, words) in [
            (15 * 60, "15 minutes"),
            (59 * 60 + 59, "1 hour"),
            (24 * 60 * 60 - 2, "24 hours"),
            (72 * 60 * 60, "72 hours"),
            (7 * 24 * 60 * 60 - 1, "7 days"),
        ] {
            assert_eq!(in_words(TimeDelta::seconds(seconds)), words);
        }
    }
}
