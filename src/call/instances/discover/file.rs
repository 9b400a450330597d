//! A file that lists addresses: one in each line, `host:port`, perhaps with its weight behind it; what stands behind `#` is
//! for people.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::uri::Authority;

use super::super::varied;
use super::Found;
use crate::base::file;

/// A larger file is no list of addresses: this is room for thirty thousand of them.
const SIZE_LIMIT: u64 = 1 << 20;

/// A file that is read again and again.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    every: Duration,
    /// How long the next look waits.
    pause: Duration,
}

impl Watch {
    pub(super) fn new(path: PathBuf, every: Duration) -> Self {
        Self { path, every, pause: Duration::ZERO }
    }

    /// What it lists.
    ///
    /// # Errors
    /// It cannot be read, it lists none, or a line is none: then nothing of it counts.
    pub(super) async fn next(&mut self) -> Result<Vec<Found>, String> {
        tokio::time::sleep(self.pause).await;
        self.pause = varied(self.every);
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || listed(&path)).await;
        read.unwrap_or_else(|error| Err(error.to_string()))
    }
}

fn listed(path: &Path) -> Result<Vec<Found>, String> {
    let shown = path.display();
    let text = file::read_text(path, SIZE_LIMIT).map_err(|why| format!("{shown}: {why}"))?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.split('#').next().unwrap_or_default()));
    let written = lines.filter(|(_, line)| !line.trim().is_empty());
    let found = |(number, line): (usize, &str)| {
        found(line).ok_or_else(|| {
            format!("{shown}:{number}: `{}` is no address; write `host:port`, and perhaps a weight", line.trim())
        })
    };
    let found: Vec<Found> = written.map(found).collect::<Result<_, String>>()?;
    if found.is_empty() { Err(format!("{shown} lists no address")) } else { Ok(found) }
}

fn found(line: &str) -> Option<Found> {
    let mut words = line.split_whitespace();
    let location: Authority = words.next()?.parse().ok()?;
    let weight = words.next().map_or(Some(1), |word| word.parse().ok())?;
    let is_whole = words.next().is_none() && location.port_u16().is_some() && !location.as_str().contains('@');
    (is_whole && (1..=65_535).contains(&weight)).then_some(Found { location, weight })
}
