//! `selvedge check`: silent when everything is fine.

use std::collections::HashMap;

use clap::Args;

use super::{End, Project, say, say_error};
use crate::base::diagnostic::Severity;
use crate::base::value::{JsonWriter, Kind, Sink as _};
use crate::server::{Loaded, load};

#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    project: Project,
    /// Prints one JSON object with every diagnostic instead of text
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> End {
        let loaded = load(&self.project.folder, &HashMap::new());
        if self.json {
            say(&json(&loaded));
        } else {
            say_error(&loaded.render());
        }
        let failed = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        if failed { End::Problems } else { End::Fine }
    }
}

/// `{"diagnostics":[{severity, code, file, line, column, path, message, help}]}`.
fn json(loaded: &Loaded) -> String {
    let mut out = JsonWriter::default();
    out.begin_object();
    out.key(b"\"diagnostics\":");
    out.begin_array();
    for diagnostic in &loaded.diagnostics {
        let place = &diagnostic.place;
        let (line, column) = loaded.sources.position(place.file, place.bytes.start);
        out.begin_object();
        let severity = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
        let texts: [(&[u8], &str); 4] = [
            (b"\"severity\":", severity),
            (b"\"code\":", diagnostic.code),
            (b"\"file\":", loaded.sources.name(place.file)),
            (b"\"path\":", &diagnostic.path),
        ];
        for (key, text) in texts {
            out.key(key);
            out.text(Kind::String, text);
        }
        out.key(b"\"line\":");
        out.uint(line as u64);
        out.key(b"\"column\":");
        out.uint(column as u64);
        out.key(b"\"message\":");
        out.text(Kind::String, &diagnostic.message);
        out.key(b"\"help\":");
        out.text(Kind::String, &diagnostic.help);
        out.end_object();
    }
    out.end_array();
    out.end_object();
    String::from_utf8_lossy(&out.bytes).into_owned() + "\n"
}
