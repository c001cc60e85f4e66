/// A table of measurements with their targets.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    /// Adds a row; `target` is empty if there is none.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        measured: impl Into<String>,
        target: impl Into<String>,
    ) {
        self.rows.push([what.into(), measured.into(), target.into()]);
    }

    #[expect(clippy::print_stdout, reason = "the table is what this program is for")]
    pub(crate) fn print(&self) {
        if self.rows.is_empty() {
            return;
        }
        println!("| what | measured | target |\n|---|---|---|");
        for [what, measured, target] in &self.rows {
            println!("| {what} | {measured} | {target} |");
        }
    }
}
