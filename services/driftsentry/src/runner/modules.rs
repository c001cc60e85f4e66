//! Finds the root modules in folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::hcl::{self, Blocks};
use crate::client::plain;

const MAX_FOLDERS: usize = 100_000;
const MAX_MODULES: usize = 1_000;
/// A larger file is not read: its module counts only if other files show it.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const SKIPPED: [&str; 1] = ["node_modules"];

/// A folder that a plan can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub folder: PathBuf,
    /// The path below the given folder; the name of the given folder for itself.
    pub name: String,
    pub has_terragrunt: bool,
    pub has_tofu_files: bool,
}

/// A visited folder.
struct Folder {
    module: Module,
    has_code: bool,
    is_initialized: bool,
    blocks: Blocks,
}

/// Returns the root modules in these folders, in a stable order. A root module is a folder
/// - whose `.tf` or `.tofu` files have a `provider` block or a `terraform` block with a `backend` or `cloud` block, or
///   that has a `.terraform` folder or lock file beside such files, and that no other module calls by its path; or
/// - whose `terragrunt.hcl` has a `terraform` or `include` block, or stands beside such files.
pub(super) fn find(roots: &[PathBuf]) -> Result<Vec<Module>> {
    let mut modules = Vec::new();
    for root in roots {
        let mut folders = Vec::new();
        let root_path = root
            .canonicalize()
            .with_context(|| format!("cannot read {}", plain(&root.display().to_string())))?;
        visit(&root_path, &root_path, &mut folders)?;
        let called: BTreeSet<PathBuf> = folders.iter().flat_map(called_by).collect();
        let is_root = |folder: &Folder| {
            let is_unit = folder.module.has_terragrunt && (folder.blocks.is_unit || folder.has_code);
            let is_module = folder.has_code
                && (folder.blocks.has_backend || folder.blocks.has_provider || folder.is_initialized);
            (is_unit || is_module) && !called.contains(&folder.module.folder)
        };
        let found: Vec<Module> = folders.into_iter().filter(is_root).map(|folder| folder.module).collect();
        let shown = plain(&root.display().to_string());
        ensure!(
            !found.is_empty(),
            "{shown} has no root module. A root module has a provider block, a backend or cloud block, a .terraform \
             folder or lock file, or a terragrunt.hcl: run `terraform init`, or name another folder"
        );
        modules.extend(found);
    }
    ensure!(
        modules.len() <= MAX_MODULES,
        "there are more than {MAX_MODULES} root modules; scan fewer folders"
    );
    Ok(modules)
}

fn called_by(folder: &Folder) -> Vec<PathBuf> {
    let path = |source: &String| folder.module.folder.join(source).canonicalize().ok();
    folder.blocks.local_sources.iter().filter_map(path).collect()
}

fn visit(root: &Path, path: &Path, folders: &mut Vec<Folder>) -> Result<()> {
    let shown = || plain(&path.display().to_string());
    ensure!(
        folders.len() < MAX_FOLDERS,
        "{} has more than {MAX_FOLDERS} folders",
        plain(&root.display().to_string())
    );
    let mut entries = fs::read_dir(path)
        .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>())
        .with_context(|| format!("cannot read {}", shown()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let module =
        Module { folder: path.into(), name: name(root, path), has_terragrunt: false, has_tofu_files: false };
    let mut folder = Folder { module, has_code: false, is_initialized: false, blocks: Blocks::default() };
    let mut below = Vec::new();
    for entry in entries {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        // Links are not followed, because they may lead in circles.
        let kind = entry.file_type().with_context(|| format!("cannot read {}", shown()))?;
        if kind.is_dir() {
            folder.is_initialized |= file_name == ".terraform";
            if !file_name.starts_with('.') && !SKIPPED.contains(&file_name.as_str()) {
                below.push(entry.path());
            }
        } else {
            folder.note_file(&file_name, &entry.path());
        }
    }
    folders.push(folder);
    below.iter().try_for_each(|path| visit(root, path, folders))
}

impl Folder {
    fn note_file(&mut self, name: &str, path: &Path) {
        let is_tofu = name.ends_with(".tofu");
        let is_terragrunt = name == "terragrunt.hcl";
        self.has_code |= is_tofu || name.ends_with(".tf");
        self.module.has_tofu_files |= is_tofu;
        self.module.has_terragrunt |= is_terragrunt;
        self.is_initialized |= name == ".terraform.lock.hcl";
        if !(is_tofu || is_terragrunt || name.ends_with(".tf")) {
            return;
        }
        let is_small = fs::metadata(path).is_ok_and(|file| file.len() <= MAX_FILE_BYTES);
        // An unreadable file is reported by the tool itself.
        let Some(text) = is_small.then(|| fs::read_to_string(path).ok()).flatten() else { return };
        let Blocks { has_backend, has_provider, is_unit, local_sources } = hcl::read(&text);
        self.blocks.has_backend |= has_backend;
        self.blocks.has_provider |= has_provider;
        self.blocks.is_unit |= is_unit && is_terragrunt;
        self.blocks.local_sources.extend(local_sources);
    }
}

fn name(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let below =
        if below.as_os_str().is_empty() { root.file_name().map(Path::new).unwrap_or(root) } else { below };
    below.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn names(root: &Path) -> Vec<String> {
        find(&[root.into()]).unwrap().into_iter().map(|module| module.name).collect()
    }

    #[test]
    fn root_modules_are_those_that_a_plan_can_be_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(
            root,
            &[
                (
                    "prod/main.tf",
                    "terraform {\n backend \"s3\" {}\n}\nmodule \"m\" { source = \"../modules/vpc\" }",
                ),
                ("modules/vpc/main.tf", "provider \"aws\" {}"),
                ("modules/plain/main.tf", "resource \"a\" \"b\" {}"),
                ("dev/main.tofu", "provider \"aws\" {}"),
                ("locked/main.tf", ""),
                ("locked/.terraform.lock.hcl", ""),
                ("made/main.tf", ""),
                ("made/.terraform/modules/x/main.tf", "provider \"aws\" {}"),
                ("unit/terragrunt.hcl", "include \"root\" {\n path = find_in_parent_folders()\n}"),
                ("terragrunt.hcl", "remote_state {\n backend = \"s3\"\n}"),
                (".git/x/main.tf", "provider \"aws\" {}"),
                ("notes/readme.md", "provider \"aws\" {}"),
                ("only_lock/.terraform.lock.hcl", ""),
                ("node_modules/x/main.tf", "provider \"aws\" {}"),
            ],
        );
        std::os::unix::fs::symlink(root, root.join("prod/circle")).unwrap();
        assert_eq!(names(root), ["dev", "locked", "made", "prod", "unit"]);
        assert_eq!(names(&root.join("dev")), ["dev"]);
        let modules = find(&[root.into()]).unwrap();
        assert!(modules[0].has_tofu_files && modules[4].has_terragrunt);
        let none = find(&[root.join("notes")]).unwrap_err();
        assert!(none.to_string().contains("no root module"), "{none}");
        assert!(find(&[root.join("missing")]).is_err());
    }
}
