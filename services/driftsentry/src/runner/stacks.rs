//! The stacks that a run scans.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};

use super::modules::{Module, find};
use super::options::Scan;
use super::tool::{Step, Tool};
use crate::client::plain;

const MODULE: &str = "{module}";

/// A module with the name of its stack and its tool.
#[derive(Debug)]
pub(super) struct Stack {
    pub name: String,
    pub module: Module,
    pub tool: Tool,
}

impl Stack {
    /// Returns the steps of a scan.
    pub(super) fn steps(init: bool) -> impl Iterator<Item = Step> {
        [Step::Init, Step::Plan, Step::Show].into_iter().filter(move |step| init || *step != Step::Init)
    }

    /// Returns the commands of a scan for people.
    fn shown(&self, init: bool) -> String {
        let mut lines = vec![format!("Stack {} in {}", self.name, self.module.folder.display())];
        for step in Self::steps(init) {
            let arguments = step.arguments(Path::new("PLAN"));
            let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
            lines.push(format!("  {} {}", self.tool.program(), arguments.join(" ")));
        }
        lines.iter().map(|line| plain(line) + "\n").collect()
    }
}

/// Finds the modules, and names their stacks.
///
/// # Errors
/// If two modules would be one stack, or one module two stacks.
pub(super) fn stacks(options: &Scan) -> Result<Vec<Stack>> {
    let mut by_name = BTreeMap::new();
    for module in find(&options.folders)? {
        let name = options.stack.replace(MODULE, &module.name);
        let tool = Tool::of(&module, options.tool);
        let folder = module.folder.display().to_string();
        let other = by_name.insert(name.clone(), Stack { name: name.clone(), module, tool });
        // The same folder may be named twice.
        let other = other.map(|other: Stack| other.module.folder.display().to_string());
        ensure!(
            other.as_ref().is_none_or(|other| *other == folder),
            "{} and {} would both be the stack {}; put {MODULE} into --stack, or scan them one by one",
            plain(&other.unwrap_or_default()),
            plain(&folder),
            plain(&name)
        );
    }
    let mut folders = BTreeSet::new();
    for stack in by_name.values() {
        let folder = &stack.module.folder;
        ensure!(
            folders.insert(folder),
            "{} is in two of the folders; name only one of them",
            plain(&folder.display().to_string())
        );
    }
    Ok(by_name.into_values().collect())
}

/// Prints what a run would do.
#[expect(clippy::print_stdout, reason = "the output of a dry run")]
pub(super) fn print(stacks: &[Stack], init: bool) {
    for stack in stacks {
        print!("{}", stack.shown(init));
    }
}
