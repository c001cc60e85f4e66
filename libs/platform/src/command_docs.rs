use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

/// Writes the man pages of a command and its completions for Bash, Zsh and Fish into `folder`.
pub(crate) fn write_docs(mut command: Command, folder: &Path) -> io::Result<()> {
    let name = command.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, &name, folder)?;
    }
    clap_mangen::generate_to(command, folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Arg;

    use super::*;

    #[test]
    fn a_command_gets_a_man_page_with_its_variables_and_completions_for_three_shells() {
        let folder = tempfile::tempdir().unwrap();
        let command = Command::new("sample")
            .arg(Arg::new("port").long("port").env("PORT"))
            .subcommand(Command::new("migrate"))
            .subcommand(Command::new("secret-door").hide(true));
        write_docs(command, folder.path()).unwrap();

        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("sample.1").contains("PORT"));
        assert!(read("sample-migrate.1").contains("sample"));
        assert!(!folder.path().join("sample-secret-door.1").exists());
        for completions in ["sample.bash", "_sample", "sample.fish"] {
            assert!(read(completions).contains("port"), "{completions}");
        }
    }
}
