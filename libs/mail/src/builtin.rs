/// A mail that DriftSentry sends.
pub(crate) struct Builtin {
    pub name: &'static str,
    pub text: &'static str,
    pub html: &'static str,
    /// Values that the mail always has, apart from `email` and `public_url`.
    pub values: &'static [&'static str],
}

const PROOF: &[&str] = &["link", "code", "expires"];

pub(crate) const LAYOUT: &str = include_str!("../templates/layout.html");

macro_rules! builtin {
    ($name:literal, $values:expr) => {
        Builtin {
            name: $name,
            text: include_str!(concat!("../templates/", $name, ".txt")),
            html: include_str!(concat!("../templates/", $name, ".html")),
            values: $values,
        }
    };
}

pub(crate) const MAILS: &[Builtin] = &[
    builtin!("sign_up", PROOF),
    builtin!("sign_up_taken", &[]),
    builtin!("reset_password", PROOF),
    builtin!("password_reset_done", &[]),
    builtin!("verify_email", PROOF),
    builtin!("change_email", PROOF),
    builtin!("email_changed", &["link", "expires"]),
    builtin!("invitation", &["link", "code", "expires", "role"]),
    builtin!("log_in", PROOF),
];

/// Values that only some mails of a kind have.
pub(crate) const OPTIONAL: &[&str] = &["name", "inviter"];
