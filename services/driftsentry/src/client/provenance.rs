use std::env;

use clap::Args;
use reqwest::Url;

/// Where a scan comes from. The server stores it, and the console links to it.
#[derive(Args)]
pub(crate) struct Provenance {
    /// Page of the CI run; known on GitHub and GitLab
    #[arg(long, value_name = "URL")]
    run_url: Option<String>,

    /// Commit that is scanned, in hex; known on GitHub and GitLab
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
}

impl Provenance {
    /// Adds the parameters to the URL of an ingest.
    pub(crate) fn add_to(&self, url: &mut Url) {
        let run_url = self.run_url.clone().or_else(run_url).filter(|url| is_web_url(url));
        let commit = self.commit.clone().or_else(|| first(&["GITHUB_SHA", "CI_COMMIT_SHA"]));
        let commit = commit.filter(|commit| is_commit(commit));
        for (name, value) in [("runUrl", run_url), ("commit", commit)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
    }
}

/// The page of the run, from the variables of GitHub and GitLab.
fn run_url() -> Option<String> {
    let github = || {
        let [server, repository, run] =
            ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| env::var(name).ok());
        Some(format!("{}/{}/actions/runs/{}", server?, repository?, run?))
    };
    first(&["CI_JOB_URL"]).or_else(github)
}

fn first(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

/// A job must not fail for a link or a commit that the server would refuse.
fn is_web_url(url: &str) -> bool {
    let is_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    is_web && url.len() <= 2048 && url.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_commit(commit: &str) -> bool {
    (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}
