//! Files that are read whole: regular ones, and of those no more than whoever reads has room for.

use std::fmt;
use std::fs::{File, FileType};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// Why a file is not read.
#[derive(Debug)]
pub enum Unreadable {
    /// It is a folder, a device, a pipe or a socket, by that name: reading one need not come to an end.
    Irregular(&'static str),
    /// It has more bytes than this.
    TooLarge(u64),
    /// It is not UTF-8.
    NotText,
    /// What the system says.
    System(io::Error),
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// It is not there, is no regular file, is larger, or the system does not let it be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    // Asked before it is opened: opening a pipe waits for somebody to write into it.
    let metadata = std::fs::metadata(path)?;
    if let Some(kind) = irregular(metadata.file_type()) {
        return Err(Unreadable::Irregular(kind));
    }
    if metadata.len() > most {
        return Err(Unreadable::TooLarge(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // It may have grown since, and the system gives files of its own no length.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Unreadable::TooLarge(most)) } else { Ok(bytes) }
}

/// Reads a file of at most `most` bytes of UTF-8.
///
/// # Errors
/// As [`read`], and what is no UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String, Unreadable> {
    String::from_utf8(read(path, most)?).map_err(|_| Unreadable::NotText)
}

/// What a file is that is no regular one.
fn irregular(kind: FileType) -> Option<&'static str> {
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_fifo() => Some("a pipe"),
        () if kind.is_socket() => Some("a socket"),
        () => Some("a device"),
    }
}

impl Unreadable {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == ErrorKind::NotFound)
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Irregular(kind) => write!(f, "it is {kind} and no file"),
            Self::TooLarge(most) => write!(f, "it has more than {most} bytes, the most that are read"),
            Self::NotText => f.write_str("it is not UTF-8"),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    /// A path of this test alone.
    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("selvedge-file-{}-{name}", std::process::id()))
    }

    fn said(path: &Path, most: u64) -> String {
        let read = read(path, most).map(|bytes| format!("{} bytes", bytes.len()));
        let _ = std::fs::remove_file(path);
        read.unwrap_or_else(|why| why.to_string())
    }

    #[test]
    fn a_file_is_read_up_to_its_cap() {
        let path = place("cap");
        for (length, expected) in
            [(0, "0 bytes"), (10, "10 bytes"), (11, "it has more than 10 bytes, the most that are read")]
        {
            std::fs::write(&path, vec![b'x'; length]).expect("the temporary folder is writable");
            assert_eq!(said(&path, 10), expected);
        }
        // It says that it is empty and is not.
        assert_eq!(
            read(Path::new("/proc/self/status"), 3).map_err(|why| why.to_string()),
            Err("it has more than 3 bytes, the most that are read".into())
        );
        assert!(read(&path, 10).is_err_and(|why| why.is_absent()));
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let (pipe, socket) = (place("pipe"), place("socket"));
        assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
        assert_eq!(said(&pipe, 10), "it is a pipe and no file");
        let _listener = UnixListener::bind(&socket).expect("the temporary folder is writable");
        assert_eq!(said(&socket, 10), "it is a socket and no file");
        for (path, expected) in [("/dev/zero", "it is a device and no file"), ("/", "it is a folder and no file")] {
            assert_eq!(read(Path::new(path), 10).map_err(|why| why.to_string()), Err(expected.into()));
        }
    }

    #[test]
    fn text_is_utf_8() {
        let path = place("text");
        std::fs::write(&path, b"a\xff").expect("the temporary folder is writable");
        let why = read_text(&path, 10).expect_err("it is not").to_string();
        let _ = std::fs::remove_file(&path);
        assert_eq!(why, "it is not UTF-8");
    }
}
