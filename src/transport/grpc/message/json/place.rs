//! Where in JSON text mistakes stand: the paths to the bytes at which they were found.

use super::super::DEPTH_LIMIT;
use super::super::error::JsonError;
use super::{Reader, Result};
use crate::base::path::{Path, Step};

/// Gives each mistake its path by its offset and puts them in the order of the text, in one pass over it.
pub(in super::super) fn place(reader: Reader<'_>, mistakes: &mut [JsonError]) {
    mistakes.sort_by_key(|mistake| mistake.offset);
    let mut walk = Walk { reader, mistakes, path: Path::default() };
    // Where text is no JSON, the mistakes that are left have their places already.
    let _ = walk.value(0);
    walk.found_before(usize::MAX);
}

struct Walk<'j, 'm> {
    reader: Reader<'j>,
    /// Those that stand where the reader is, or later.
    mistakes: &'m mut [JsonError],
    /// The way to where the reader is.
    path: Path,
}

impl Walk<'_, '_> {
    fn value(&mut self, depth: usize) -> Result<()> {
        let walked = match self.reader.peek() {
            // What is nested more deeply is no message, and a mistake itself.
            _ if depth > 2 * DEPTH_LIMIT => self.reader.skip(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            _ => self.reader.skip(),
        };
        match walked {
            Ok(()) => self.found_before(self.reader.offset()),
            Err(_) => self.found_before(usize::MAX),
        }
        walked
    }

    fn object(&mut self, depth: usize) -> Result<()> {
        let mut more = self.reader.open(b'{', b'}')?;
        while more {
            self.found_before(self.reader.offset());
            let name = self.reader.key()?;
            self.path.push(Step::Member(name.into()));
            self.value(depth + 1)?;
            self.path.pop();
            more = self.reader.another(b'}')?;
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<()> {
        let mut more = self.reader.open(b'[', b']')?;
        let mut at = 0;
        while more {
            self.found_before(self.reader.offset());
            self.path.push(at);
            self.value(depth + 1)?;
            self.path.pop();
            at += 1;
            more = self.reader.another(b']')?;
        }
        Ok(())
    }

    /// Mistakes before `end` that no part has claimed are of the value at `path`.
    fn found_before(&mut self, end: usize) {
        let here = self.mistakes.iter().take_while(|mistake| mistake.offset < end).count();
        let (here, later) = std::mem::take(&mut self.mistakes).split_at_mut(here);
        here.iter_mut().for_each(|mistake| mistake.path = self.path.clone());
        self.mistakes = later;
    }
}
