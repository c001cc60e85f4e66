//! The most significant results as a bar chart in SVG.

use std::fmt::Write as _;

use super::results::{Metric, Results, figure};
use super::server::Kind;

const PANELS: [Metric; 6] = [
    Metric::Connect,
    Metric::RssAfter,
    Metric::FanOut,
    Metric::SingleAmongMany,
    Metric::ManyRooms,
    Metric::Burst,
];
const LABELS: usize = 220;
const BARS: f64 = 480.0;
const ROW: usize = 22;

/// Draws a panel for each metric, with a bar for each server. Each panel has its own scale.
pub(super) fn svg(results: &Results) -> String {
    let (mut body, mut y) = (String::new(), 10);
    for metric in PANELS {
        let measured = Kind::ALL.into_iter().filter_map(|kind| Some((kind, results.of(kind, metric)?)));
        let measured = measured.collect::<Vec<_>>();
        let most = measured.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let [what, unit, _] = metric.describe();
        y += ROW;
        // Writing to a String cannot fail.
        let _ = writeln!(body, r#"<text class="title" x="10" y="{y}">{what}, {unit}</text>"#);
        for (kind, value) in measured {
            y += ROW;
            let ours = matches!(kind, Kind::Gateway | Kind::GatewayPlain);
            let (class, width) = (if ours { "ours" } else { "other" }, (value / most * BARS).max(1.0));
            let (top, name, after) = (y - 14, kind.name(), LABELS as f64 + width + 6.0);
            let _ = writeln!(body, r#"<text x="{}" y="{y}" text-anchor="end">{name}</text>"#, LABELS - 8);
            let _ = writeln!(
                body,
                r#"<rect class="{class}" x="{LABELS}" y="{top}" width="{width:.1}" height="17"/>"#
            );
            let _ = writeln!(body, r#"<text x="{after:.1}" y="{y}">{}</text>"#, figure(value));
        }
        y += ROW / 2;
    }
    let height = y + ROW;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {height}" font-family="sans-serif" font-size="13">
<style>.title {{ font-weight: bold }} .ours {{ fill: #0a7d5a }} .other {{ fill: #9aa5b1 }}</style>
<rect width="780" height="{height}" fill="#fff"/>
{body}</svg>
"##
    )
}
