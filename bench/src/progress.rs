/// Prints a line for the person who waits.
#[expect(clippy::print_stderr, reason = "a bench that takes minutes reports its progress")]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}
