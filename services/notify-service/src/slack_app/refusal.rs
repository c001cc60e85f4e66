//! The errors of Slack's Web API. It answers most requests with 200 and says in the body whether they succeeded.

use crate::delivery::DeliveryFailure;

const MAX_ERROR: usize = 50;

/// Reads an error of `chat.postMessage` or `chat.update`, as
/// <https://docs.slack.dev/reference/methods/chat.postMessage#errors> defines it.
///
/// An error that an admin can repair, such as `not_in_channel`, is tried again until the delivery expires. So is one that
/// Slack may add later.
pub(super) fn failure(error: &str) -> DeliveryFailure {
    let is_word = (1..=MAX_ERROR).contains(&error.len())
        && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let kind = if is_word { format!("slack_{error}") } else { "slack_error".to_owned() };
    DeliveryFailure { is_gone: is_gone(error), ..DeliveryFailure::new(kind, is_permanent(error)) }
}

/// Whether Slack will never accept this message.
fn is_permanent(error: &str) -> bool {
    matches!(
        error,
        "msg_too_long"
            | "msg_blocks_too_long"
            | "no_text"
            | "invalid_blocks"
            | "invalid_blocks_format"
            | "invalid_arguments"
            | "invalid_arg_name"
            | "invalid_metadata_format"
            | "markdown_text_conflict"
            | "too_many_attachments"
    )
}

/// Whether the app was removed, so that only another token helps.
fn is_gone(error: &str) -> bool {
    matches!(error, "account_inactive" | "token_revoked")
}

/// Whether the message to edit, or its thread, does not exist any more.
pub(super) fn is_message_gone(kind: &str) -> bool {
    matches!(kind, "slack_message_not_found" | "slack_thread_not_found")
}

/// Whether the workspace does not allow to edit this message any more.
pub(super) fn is_message_fixed(kind: &str) -> bool {
    matches!(kind, "slack_edit_window_closed" | "slack_cant_update_message" | "slack_is_inactive")
}
