use std::collections::BTreeMap;
use std::fmt;

/// Maximum number of details that are kept for one remark.
const DETAILS: usize = 1_000;

/// The result of the import of one kind of row.
#[derive(Debug)]
pub struct ImportReport {
    /// The name of the rows, in the plural.
    pub what: &'static str,
    pub imported: u64,
    /// Rows that an earlier import has written.
    pub present: u64,
    remarks: BTreeMap<&'static str, Remark>,
}

#[derive(Debug, Default)]
struct Remark {
    count: u64,
    details: Vec<String>,
}

impl ImportReport {
    pub fn of(what: &'static str) -> Self {
        Self { what, imported: 0, present: 0, remarks: BTreeMap::new() }
    }

    /// Adds a row to a remark. `detail` names the row.
    pub fn remark(&mut self, remark: &'static str, detail: impl Into<String>) {
        let entry = self.remarks.entry(remark).or_default();
        entry.count += 1;
        if entry.details.len() < DETAILS {
            entry.details.push(detail.into());
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, imported, present, remarks } = self;
        write!(f, "{what}: {imported} imported, {present} already there")?;
        for (remark, Remark { count, details }) in remarks {
            write!(f, "\n  {count} {remark}:")?;
            for detail in details {
                // On one line, because the text comes from rows of another system.
                write!(f, "\n    {}", detail.escape_debug())?;
            }
            let more = count.saturating_sub(details.len() as u64);
            if more > 0 {
                write!(f, "\n    and {more} more")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lists_its_remarks_on_lines_of_their_own() {
        let mut report = ImportReport::of("users");
        report.imported = 2;
        report.remark("have a role that is unknown here; they are viewers now", "a@example.com: STARTER\n");
        let expected = "users: 2 imported, 0 already there\n  \
            1 have a role that is unknown here; they are viewers now:\n    a@example.com: STARTER\\n";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_long_list_is_cut() {
        let mut report = ImportReport::of("users");
        (0..1_005).for_each(|n| report.remark("are odd", n.to_string()));
        let text = report.to_string();
        assert!(text.contains("1005 are odd") && text.ends_with("and 5 more"), "{text}");
    }
}
