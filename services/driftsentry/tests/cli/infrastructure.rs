//! A folder of modules, with a program that stands in for Terraform (fake_terraform.sh).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testing::{Process, eventually};

use crate::{BINARY, sample};

const DRIFT: &str = "fakeaws_1/refresh_only.json.gz";
pub(crate) const CLEAN: &str = "fakeaws_1/clean.refresh_only.json.gz";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI0K7MDENG";

/// A folder of modules, and a PATH with tools.
pub(crate) struct Infrastructure {
    folder: tempfile::TempDir,
}

impl Infrastructure {
    pub(crate) fn new(modules: &[&str]) -> Self {
        let infrastructure = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "temporary", "infra"] {
            fs::create_dir(infrastructure.path(folder)).unwrap();
        }
        infrastructure.install("terraform");
        for module in modules {
            fs::create_dir_all(infrastructure.path("infra").join(module)).unwrap();
            infrastructure.set(module, "main.tf", "terraform {\n  backend \"s3\" {}\n}\n");
            infrastructure.plans(module, DRIFT);
        }
        infrastructure
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn install(&self, tool: &str) {
        let path = self.path("bin").join(tool);
        fs::write(&path, include_str!("fake_terraform.sh")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn set(&self, module: &str, file: &str, text: &str) {
        fs::write(self.path("infra").join(module).join(file), text).unwrap();
    }

    pub(crate) fn read(&self, module: &str, file: &str) -> String {
        fs::read_to_string(self.path("infra").join(module).join(file)).unwrap_or_default()
    }

    pub(crate) fn plans(&self, module: &str, sample_name: &str) {
        self.set(module, "plan.json", &unpacked(sample_name));
    }

    pub(crate) fn environment(&self, token: &str) -> Vec<(&'static str, String)> {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        vec![
            ("PATH", path),
            ("TMPDIR", self.path("temporary").display().to_string()),
            ("DRIFTSENTRY_TOKEN", token.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
        ]
    }

    /// Returns the command that scans all modules.
    pub(crate) fn command(&self, token: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear().envs(self.environment(token)).arg("scan").arg(self.path("infra"));
        command
    }

    pub(crate) fn scan(&self, url: &str, token: &str, arguments: &[&str]) -> Output {
        self.command(token).args(["--url", url, "--retries", "0"]).args(arguments).output().unwrap()
    }

    /// Starts a scan in the background.
    pub(crate) fn start(&self, url: &str, token: &str, arguments: &[&str]) -> Process {
        let infra = self.path("infra").display().to_string();
        let arguments: Vec<&str> = ["scan", &infra, "--url", url].iter().chain(arguments).copied().collect();
        Process::spawn(Path::new(BINARY), &arguments, self.environment(token))
    }

    pub(crate) fn assert_no_plan_is_left(&self) {
        let left: Vec<_> = fs::read_dir(self.path("temporary")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Waits until the program that a module's plan started has ended.
    pub(crate) async fn assert_child_ends(&self, module: &str) {
        let process = PathBuf::from(format!("/proc/{}", self.read(module, "child").trim()));
        eventually("the child of the tool has ended", async || {
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            status.is_empty() || status.contains("State:\tZ")
        })
        .await;
    }
}

/// Returns a sample as text.
pub(crate) fn unpacked(sample_name: &str) -> String {
    let packed = fs::File::open(sample(sample_name)).unwrap();
    std::io::read_to_string(flate2::read::GzDecoder::new(packed)).unwrap()
}
