//! A project folder made for one test.

use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;

use crate::claim::repository;

/// A folder below cargo's folder for test files; what an earlier run left there is removed first.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Makes the folder `name` anew and writes these files into it. Those that end in `.binpb` hold bytes, which the
    /// text says in base64.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(name: &str, files: &[(String, String)]) -> Result<Self, String> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        for (path, text) in files {
            let path = root.join(path);
            let folder = path.parent().unwrap_or(&root);
            let bytes = match path.extension() {
                Some(ending) if ending == "binpb" => {
                    base64(text).ok_or_else(|| format!("{} is no base64", path.display()))?
                }
                _ => text.as_bytes().to_vec(),
            };
            fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes)).map_err(|error| error.to_string())?;
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
        let is_text = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "proto");
        let files: Vec<PathBuf> = files_in(&folder).into_iter().filter(is_text).collect();
        let bundled = repository("src/descriptor/bundled");
        let set = protox::compile(files, [folder, bundled]).map_err(|error| format!("proto: {error:?}"))?;
        DescriptorPool::from_file_descriptor_set(set).map_err(|error| error.to_string())
    }
}

/// The files of a folder and of those in it; none where there is no folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// The bytes that base64 with its padding says, over any number of lines.
fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit)? as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
