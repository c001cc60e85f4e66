use super::plain_text::plain;

/// Prints an error to standard error, with its causes and a backtrace if `debug`.
#[expect(clippy::print_stderr, reason = "there is no log, and the user reads this")]
pub(crate) fn print_failure(error: &anyhow::Error, debug: bool) {
    let text = if debug { format!("{error:?}") } else { format!("{error:#}") };
    let lines: Vec<String> = text.lines().map(plain).collect();
    eprintln!("error: {}", lines.join("\n"));
}
