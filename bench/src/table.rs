/// What was measured, beside what it should be.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    /// `target` is empty where there is none.
    pub fn add(&mut self, what: impl Into<String>, measured: impl Into<String>, target: impl Into<String>) {
        self.rows.push([what.into(), measured.into(), target.into()]);
    }

    #[expect(clippy::print_stdout, reason = "the table is what this program is for")]
    pub fn print(&self) {
        if self.rows.is_empty() {
            return;
        }
        println!("| what | measured | target |\n|---|---|---|");
        for [what, measured, target] in &self.rows {
            println!("| {what} | {measured} | {target} |");
        }
    }
}
