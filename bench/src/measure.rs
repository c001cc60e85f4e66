use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

/// Times of single operations.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn merge(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the time within which `share` percent of the operations finished.
    pub(crate) fn percentile(&mut self, share: usize) -> Duration {
        self.0.sort_unstable();
        let at = (self.0.len() * share / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// Returns the user and system time that a process has used.
pub(crate) fn processor_time(process: u32) -> Duration {
    // Fields 14 and 15 of proc_pid_stat(5), in clock ticks of 10 ms. The name before them may contain spaces.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Returns a value of proc_pid_status(5) in MiB, such as `VmRSS` or `VmHWM`.
pub(crate) fn memory(process: u32, line: &str) -> f64 {
    kibibytes(process, "status", line) / 1_024.0
}

/// Returns a value of `/proc/PID/{file}` in KiB.
pub(crate) fn kibibytes(process: u32, file: &str, line: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let value = text.lines().find_map(|entry| entry.strip_prefix(line)?.strip_prefix(':'));
    let kibibytes = value.and_then(|value| value.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kibibytes.unwrap_or_default()
}

/// User and system time of a process at one moment, to the nanosecond if the kernel provides it.
pub(crate) struct Cpu {
    ticks: Duration,
    threads: BTreeMap<OsString, Duration>,
}

impl Cpu {
    pub(crate) fn of(process: u32) -> Self {
        let folder = std::fs::read_dir(format!("/proc/{process}/task"));
        let threads = folder.into_iter().flatten().flatten().filter_map(|thread| {
            let schedule = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let running = schedule.split_whitespace().next()?.parse().ok()?;
            Some((thread.file_name(), Duration::from_nanos(running)))
        });
        Self { ticks: processor_time(process), threads: threads.collect() }
    }

    pub(crate) fn since(&self, before: &Self) -> Duration {
        // If a thread has ended since, only the clock ticks contain its time.
        if before.threads.is_empty() || !before.threads.keys().all(|it| self.threads.contains_key(it)) {
            return self.ticks.saturating_sub(before.ticks);
        }
        self.threads.values().sum::<Duration>().saturating_sub(before.threads.values().sum())
    }
}
