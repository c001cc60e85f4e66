//! The programs that plan, and their commands.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::modules::Module;
use super::options::ToolChoice;

/// A prefix of variables that no child gets: they hold the token of DriftSentry.
const OWN_VARIABLES: &str = "DRIFTSENTRY_";
/// Variables that may hold arguments of `plan`.
const ARGUMENTS: [&str; 2] = ["TF_CLI_ARGS", "TF_CLI_ARGS_plan"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Terraform,
    Tofu,
    Terragrunt,
}

impl Tool {
    /// Returns the tool for a module.
    pub(super) fn of(module: &Module, choice: ToolChoice) -> Self {
        match choice {
            ToolChoice::Terraform => Self::Terraform,
            ToolChoice::Tofu => Self::Tofu,
            ToolChoice::Terragrunt => Self::Terragrunt,
            ToolChoice::Auto if module.has_terragrunt => Self::Terragrunt,
            ToolChoice::Auto if module.has_tofu_files => Self::Tofu,
            ToolChoice::Auto if !is_in_path("terraform") && is_in_path("tofu") => Self::Tofu,
            ToolChoice::Auto => Self::Terraform,
        }
    }

    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Tofu => "tofu",
            Self::Terragrunt => "terragrunt",
        }
    }

    /// Whether its refresh-only plan covers the whole module even if the plan does not state it. Variables, or
    /// Terragrunt's configuration, may restrict a plan to targets.
    pub(super) fn plans_everything(self) -> bool {
        let restricts =
            |name| env::var(name).is_ok_and(|value| value.contains("-target") || value.contains("-exclude"));
        self != Self::Terragrunt && !ARGUMENTS.into_iter().any(restricts)
    }
}

/// One step of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Init,
    Plan,
    Show,
}

impl Step {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Plan => "plan",
            Self::Show => "show",
        }
    }

    pub(super) fn arguments(self, plan_file: &Path) -> Vec<OsString> {
        let (before, after): (&[&str], &[&str]) = match self {
            Self::Init => (&["init", "-input=false", "-no-color"], &[]),
            Self::Plan => (&["plan", "-refresh-only", "-input=false", "-no-color"], &["-out="]),
            Self::Show => (&["show", "-json", "-no-color"], &[""]),
        };
        let with_file = after.iter().map(|option| {
            let mut argument = OsString::from(option);
            argument.push(plan_file);
            argument
        });
        before.iter().map(OsString::from).chain(with_file).collect()
    }

    /// Builds the command of this step. The child gets none of DriftSentry's variables.
    pub(super) fn command(self, tool: Tool, module: &Module, plan_file: &Path) -> Command {
        let mut command = Command::new(tool.program());
        command.args(self.arguments(plan_file)).current_dir(&module.folder);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with(OWN_VARIABLES) {
                command.env_remove(name);
            }
        }
        command.env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0");
        // Terragrunt asks no questions, and prints the plan as the tool below it does. Each variable has two names.
        for prefix in ["TG_", "TERRAGRUNT_"] {
            command.env(format!("{prefix}NON_INTERACTIVE"), "true");
        }
        command.env("TG_TF_FORWARD_STDOUT", "true").env("TERRAGRUNT_FORWARD_TF_STDOUT", "true");
        command
    }
}

fn is_in_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
