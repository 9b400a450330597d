//! A project folder made for one test.

use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;

/// A folder below cargo's folder for test files; what an earlier run left there is removed first.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Makes the folder `name` anew and writes these files into it.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(name: &str, files: &[(String, String)]) -> Result<Self, String> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        for (path, text) in files {
            let path = root.join(path);
            let folder = path.parent().unwrap_or(&root);
            fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| error.to_string())?;
        }
        Ok(Self { root })
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The messages and services of the project's proto files.
    ///
    /// # Errors
    /// What the compiler says.
    pub(crate) fn protos(&self) -> Result<DescriptorPool, String> {
        let folder = self.root.join("proto");
        let files = files_in(&folder);
        let set = protox::compile(files, [folder]).map_err(|error| format!("proto: {error:?}"))?;
        DescriptorPool::from_file_descriptor_set(set).map_err(|error| error.to_string())
    }
}

/// The files of a folder and of those in it; none where there is no folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}
