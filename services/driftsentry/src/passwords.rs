//! `driftsentry passwords`: lists of breached passwords, without a network request.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use auth_service::password::{Blocklist, build_blocklist, read_password};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

#[derive(Subcommand)]
pub(crate) enum Passwords {
    /// Build a list from a dump of passwords or SHA-1 hashes; needs 11 bytes of disk for each, of which 3 remain, and
    /// 100 MB of memory for a billion
    Build {
        /// Dump, with a password or SHA1HEX[:count] in each line
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// List to write; an existing list is replaced once the new one is complete
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check whether a list has a password; prompts for it, or reads it from standard input; exit 1 if it has
    Check {
        /// List that `passwords build` wrote
        #[arg(long, value_name = "FILE")]
        filter: PathBuf,
    },
}

pub(crate) fn run(command: &Passwords) -> Result<()> {
    match command {
        Passwords::Build { from, out } => build(from, out),
        Passwords::Check { filter } => check(filter),
    }
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
fn build(from: &Path, out: &Path) -> Result<()> {
    let size = std::fs::metadata(from).with_context(|| from.display().to_string())?.len();
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {eta}";
    let style = ProgressStyle::with_template(template).context("a template")?;
    let bar = ProgressBar::new(size).with_style(style).with_message("reading");
    let list = build_blocklist(from, out, |bytes| {
        bar.set_position(bytes);
        if bytes >= size {
            bar.set_message("sorting");
        }
    })?;
    bar.finish_and_clear();
    println!(
        "{}: {} passwords; refuses {:.4} % of other passwords by mistake",
        out.display(),
        list.len(),
        100.0 * list.false_positive_rate()
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "for the person who typed the command")]
fn check(filter: &Path) -> Result<()> {
    let list = Blocklist::open(filter)?;
    let password = read_password()?;
    ensure!(!list.has(&password), "the password is on the list");
    println!("The password is not on the list.");
    Ok(())
}
