use std::process::ExitCode;

use anyhow::Result;

/// Returns the exit code of a process. Prints an error as one line: a backtrace would hide the sentence that helps.
#[expect(
    clippy::print_stderr,
    reason = "the log may not be set up yet, and the person who starts the process reads this"
)]
pub fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
