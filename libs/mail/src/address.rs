use anyhow::{Context, Result, ensure};
use lettre::Address;
use lettre::address::AddressError;
use lettre::message::Mailbox;

/// Parses the address of a recipient. A domain that is not ASCII becomes the one that DNS knows; only a local part that
/// is not ASCII needs SMTPUTF8.
pub(crate) fn parse_recipient(text: &str) -> Result<Address, AddressError> {
    let (local, domain) = text.rsplit_once('@').ok_or(AddressError::MissingParts)?;
    // An ASCII domain stays as the account has it: a mapping could lead to another mailbox.
    if domain.is_ascii() {
        return Address::new(local, domain);
    }
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_errors| AddressError::InvalidDomain)?;
    Address::new(local, domain)
}

/// Whether a mail can be sent to the address.
pub fn is_address(text: &str) -> bool {
    parse_recipient(text).is_ok()
}

/// Parses `MAIL_FROM`.
///
/// # Errors
/// If it is not one address, with or without a name.
pub(crate) fn parse_sender(text: &str) -> Result<Mailbox> {
    let mailbox = text.parse::<Mailbox>().ok();
    let mailbox = mailbox.context("must be an address such as \"DriftSentry <no-reply@example.com>\"")?;
    ensure!(
        AsRef::<str>::as_ref(&mailbox.email).is_ascii(),
        "must be an ASCII address; the name may have other characters"
    );
    Ok(mailbox)
}
