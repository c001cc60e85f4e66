use rstest::rstest;

use super::refusal::failure;

#[rstest]
#[case::repairable("not_in_channel", "slack_not_in_channel", false, false)]
#[case::repairable("channel_not_found", "slack_channel_not_found", false, false)]
#[case::repairable("invalid_auth", "slack_invalid_auth", false, false)]
#[case::temporary("internal_error", "slack_internal_error", false, false)]
#[case::unknown("an_error_of_2030", "slack_an_error_of_2030", false, false)]
#[case::message("msg_too_long", "slack_msg_too_long", true, false)]
#[case::message("invalid_blocks", "slack_invalid_blocks", true, false)]
#[case::removed("account_inactive", "slack_account_inactive", false, true)]
#[case::removed("token_revoked", "slack_token_revoked", false, true)]
#[case::no_word("<!channel>", "slack_error", false, false)]
#[case::no_word("", "slack_error", false, false)]
fn errors_of_slack_are_temporary_unless_the_message_or_the_app_is_the_cause(
    #[case] error: &str,
    #[case] kind: &str,
    #[case] is_permanent: bool,
    #[case] is_gone: bool,
) {
    let failure = failure(error);
    assert_eq!((failure.kind.as_str(), failure.is_permanent, failure.is_gone), (kind, is_permanent, is_gone));
}

#[test]
fn a_long_error_is_none() {
    assert_eq!(failure(&"x".repeat(51)).kind, "slack_error");
}
