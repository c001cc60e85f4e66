//! The measurements of each round, as a table and as CSV.

use std::cell::RefCell;
use std::fmt::Write as _;

use super::server::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Connect,
    Rss,
    Pss,
    RssAfter,
    PssAfter,
    FanOut,
    SingleAmongFew,
    SingleAmongMany,
    ManyRooms,
    Burst,
    BurstTime,
    Resume,
    ResumeTime,
    RevocationMedian,
    RevocationSlow,
    Lost,
    OutOfOrder,
}

impl Metric {
    pub(super) const ALL: [Self; 17] = [
        Self::Connect,
        Self::Rss,
        Self::Pss,
        Self::RssAfter,
        Self::PssAfter,
        Self::FanOut,
        Self::SingleAmongFew,
        Self::SingleAmongMany,
        Self::ManyRooms,
        Self::Burst,
        Self::BurstTime,
        Self::Resume,
        Self::ResumeTime,
        Self::RevocationMedian,
        Self::RevocationSlow,
        Self::Lost,
        Self::OutOfOrder,
    ];

    /// Returns the name, the unit and the target.
    pub(super) const fn describe(self) -> [&'static str; 3] {
        match self {
            Self::Connect => ["connect, authenticate, subscribe: CPU", "µs", "≤ 80"],
            Self::Rss => ["memory per socket, RSS", "KB", "≤ 4"],
            Self::Pss => ["memory per socket, PSS", "KB", ""],
            Self::RssAfter => ["memory per socket after 60 KB to each, RSS", "KB", "≤ 4"],
            Self::PssAfter => ["memory per socket after 60 KB to each, PSS", "KB", ""],
            Self::FanOut => ["fan-out at a rate: CPU per delivery", "µs", "≤ 1.25 × floor"],
            Self::SingleAmongFew => ["to one user among few: CPU per delivery", "µs", "≤ 1.6 × floor"],
            Self::SingleAmongMany => ["to one user among many: CPU per delivery", "µs", "as among few"],
            Self::ManyRooms => ["to one of many rooms: CPU per delivery", "µs", ""],
            Self::Burst => ["burst: CPU per delivery", "µs", "≤ 0.5"],
            Self::BurstTime => ["burst: until the last socket has the last event", "ms", ""],
            Self::Resume => ["resume storm: CPU per missed event", "µs", ""],
            Self::ResumeTime => ["resume storm: until the last socket has the last event", "ms", ""],
            Self::RevocationMedian => ["session ended → close frame, p50", "ms", ""],
            Self::RevocationSlow => ["session ended → close frame, p99", "ms", "≤ 250"],
            Self::Lost => ["events lost, in total", "", "0"],
            Self::OutOfOrder => ["events out of order or delivered twice, in total", "", "0"],
        }
    }

    const fn is_count(self) -> bool {
        matches!(self, Self::Lost | Self::OutOfOrder)
    }
}

#[derive(Default)]
pub(super) struct Results(RefCell<Vec<(Kind, Metric, f64)>>);

impl Results {
    pub(super) fn add(&self, kind: Kind, metric: Metric, value: f64) {
        self.0.borrow_mut().push((kind, metric, value));
    }

    fn values(&self, kind: Kind, metric: Metric) -> Vec<f64> {
        let rows = self.0.borrow();
        rows.iter().filter(|row| (row.0, row.1) == (kind, metric)).map(|row| row.2).collect()
    }

    /// Returns the median of the rounds, or the sum of a count; `None` if it was not measured.
    pub(super) fn of(&self, kind: Kind, metric: Metric) -> Option<f64> {
        let mut values = self.values(kind, metric);
        if metric.is_count() {
            return (!values.is_empty()).then(|| values.iter().sum());
        }
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    pub(super) fn markdown(&self) -> String {
        let names = Kind::ALL.map(Kind::name).join(" | ");
        let mut text = format!("| | unit | {names} | ratio to floor | ratio to Socket.IO | target |\n");
        text += &"|---".repeat(Kind::ALL.len() + 5);
        text += "|\n";
        for metric in Metric::ALL {
            let [what, unit, target] = metric.describe();
            let cells = Kind::ALL.map(|kind| self.of(kind, metric).map(figure).unwrap_or_default());
            let ratio = |other| {
                let ratio =
                    self.of(Kind::Gateway, metric)? / self.of(other, metric).filter(|it| *it > 0.0)?;
                (!metric.is_count()).then(|| format!("{ratio:.2}"))
            };
            let [floor, peer] = [Kind::Floor, Kind::SocketIo].map(|it| ratio(it).unwrap_or_default());
            let cells = cells.join(" | ");
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {what} | {unit} | {cells} | {floor} | {peer} | {target} |");
        }
        text
    }

    pub(super) fn csv(&self) -> String {
        let mut text = "server,what,unit,result,rounds\n".to_owned();
        for kind in Kind::ALL {
            for metric in Metric::ALL {
                let Some(result) = self.of(kind, metric) else { continue };
                let ([what, unit, _], name) = (metric.describe(), kind.name());
                let rounds = self.values(kind, metric).into_iter().map(|value| format!("{value:.3}"));
                let rounds =
                    if metric.is_count() { String::new() } else { rounds.collect::<Vec<_>>().join(" ") };
                let _ = writeln!(text, r#""{name}","{what}",{unit},{result:.3},{rounds}"#);
            }
        }
        text
    }
}

/// Formats a value with its significant digits.
pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.0 => "0".into(),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_the_median_and_a_count_is_the_sum() {
        let results = Results::default();
        for value in [3.0, 100.0, 2.0] {
            results.add(Kind::Floor, Metric::Burst, value);
            results.add(Kind::Floor, Metric::Lost, value);
        }
        assert_eq!(results.of(Kind::Floor, Metric::Burst), Some(3.0));
        assert_eq!(results.of(Kind::Floor, Metric::Lost), Some(105.0));
        assert_eq!(results.of(Kind::SocketIo, Metric::Burst), None);
    }

    #[test]
    fn the_gateway_is_compared_to_the_floor() {
        let results = Results::default();
        results.add(Kind::Gateway, Metric::FanOut, 6.0);
        results.add(Kind::Floor, Metric::FanOut, 5.0);
        assert!(results.markdown().contains("| 1.20 |"));
    }
}
