use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::options::Scan;
use super::{scan_all, stacks};
use crate::client::print_failure;

/// Scans once, or at the interval of `--watch` until the process is asked to stop. A run begins only after the one
/// before it has ended.
pub(super) async fn repeat(options: &Scan, stop: &CancellationToken) -> Result<ExitCode> {
    if options.dry_run {
        stacks::print(&stacks::stacks(options)?, options.init);
        return Ok(ExitCode::SUCCESS);
    }
    let sender = options.sender()?;
    let Some(interval) = options.watch else { return scan_all(options, &sender, stop).await };
    loop {
        let next = Instant::now() + with_jitter(interval, random()?);
        if let Err(error) = scan_all(options, &sender, stop).await {
            print_failure(&error, options.connection.debug);
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
            () = sleep_until(next) => {}
        }
    }
}

/// Lengthens an interval by up to a tenth, so that machines that started together do not scan together.
fn with_jitter(interval: Duration, random: u8) -> Duration {
    interval + interval.mul_f64(f64::from(random) / 2560.0)
}

fn random() -> Result<u8> {
    let mut byte = [0];
    getrandom::fill(&mut byte)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_varies_by_up_to_a_tenth() {
        let hour = Duration::from_secs(3600);
        assert_eq!(with_jitter(hour, 0), hour);
        let longest = with_jitter(hour, u8::MAX);
        assert!(longest > hour.mul_f64(1.09) && longest < hour.mul_f64(1.1));
    }
}
