use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::costs::beside;
use super::gzip::{MAX_BYTES, pack};
use super::plain_text::plain;

const MAX_FILES: usize = 10_000;

/// A scan to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScanFile {
    path: PathBuf,
    /// The path below the given folder, without extensions.
    name: String,
}

/// Returns the scans at these paths, in a stable order. A folder stands for all scans in it.
pub(crate) fn collect(paths: &[PathBuf]) -> Result<Vec<ScanFile>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            add_folder(path, path, &mut files)?;
            ensure!(files.len() > before, "{} has no .json, .jsonl or .gz files", path.display());
        } else {
            files.push(ScanFile::new(path.clone()));
        }
    }
    Ok(files)
}

fn add_folder(root: &Path, folder: &Path, files: &mut Vec<ScanFile>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>())
        .with_context(context)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links are not followed, because they may lead in circles.
        let kind = entry.file_type().with_context(context)?;
        if kind.is_dir() {
            add_folder(root, &path, files)?;
        } else if is_scan(&path) {
            let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(ScanFile { name: without_extensions(&below).into(), path });
        }
        ensure!(files.len() <= MAX_FILES, "{} has more than {MAX_FILES} files", root.display());
    }
    Ok(())
}

fn is_scan(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "json" | "jsonl" | "gz")
}

fn without_extensions(name: &str) -> &str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".json")).unwrap_or(name);
    [".tfplan", ".plan"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

impl ScanFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Self { name: without_extensions(&name).into(), path }
    }

    pub(crate) fn shown(&self) -> String {
        plain(&self.path.display().to_string())
    }

    /// Returns the name of the stack. Each of several files gets a name of its own.
    pub(crate) fn stack(&self, stack: &str, count: usize) -> String {
        match (stack.contains("{file}"), count) {
            (true, _) => stack.replace("{file}", &self.name),
            (false, 1) => stack.into(),
            (false, _) => format!("{stack}/{}", self.name),
        }
    }

    /// Returns the content as gzip, which shrinks a plan to a twentieth, together with the costs beside it.
    pub(crate) fn packed(&self, costs: Option<&Self>) -> Result<Vec<u8>> {
        pack(match costs {
            Some(costs) => beside(self.read()?, costs.read()?)?,
            None => self.read()?,
        })
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let context = || format!("cannot read {}", self.shown());
        if self.path == Path::new("-") {
            stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(context)?;
        } else {
            let file = File::open(&self.path).with_context(context)?;
            file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(context)?;
        }
        ensure!(!bytes.is_empty(), "{} is empty", self.shown());
        let mib = MAX_BYTES / 1024 / 1024;
        ensure!(bytes.len() as u64 <= MAX_BYTES, "{} has more than {mib} MiB; split the stack", self.shown());
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::gzip::GZIP_MAGIC;
    use super::*;

    #[test]
    fn a_folder_stands_for_its_scans_each_with_a_stack_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        for name in ["vpc.plan.json", "db/main.json.gz", "notes.txt", "x.jsonl"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let files = collect(&[folder.path().into()]).unwrap();
        let stacks: Vec<String> = files.iter().map(|file| file.stack("prod", files.len())).collect();
        assert_eq!(stacks, ["prod/db/main", "prod/vpc", "prod/x"]);
        assert_eq!(files[0].stack("{file}-prod", 3), "db/main-prod");
        assert_eq!(files[0].stack("prod", 1), "prod");
    }

    #[test]
    fn a_packed_scan_is_sent_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, "{}").unwrap();
        let packed = collect(std::slice::from_ref(&path)).unwrap()[0].packed(None).unwrap();
        assert!(packed.starts_with(&GZIP_MAGIC));
        std::fs::write(&path, &packed).unwrap();
        assert_eq!(collect(&[path]).unwrap()[0].packed(None).unwrap(), packed);
    }
}
