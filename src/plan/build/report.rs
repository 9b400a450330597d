//! Collects what is wrong while a plan is built: everything, not just the first.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ops::Range;

use crate::base::diagnostic::{Diagnostic, Place, Severity};
use crate::expr::Mistake;
use crate::spec::{Reading, Refused, Scalar};

/// The diagnostics found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    found: RefCell<Vec<Diagnostic>>,
    /// What was said of which place.
    said: RefCell<HashSet<(Place, &'static str, String)>>,
    /// The places that are wrong as they are written.
    wrong: HashSet<Place>,
    /// Keys that this version lacks: what it lacks inside them as well need not be said.
    refused: Refused,
    /// Whether nothing is taken now.
    is_quiet: Cell<bool>,
}

impl Report {
    /// Begins with what reading found. Of a place that is wrong as it is written nothing more is said.
    pub(super) fn after_reading(reading: &Reading) -> Self {
        let mut report = Self { refused: reading.refused.clone(), ..Self::default() };
        reading.diagnostics.iter().cloned().for_each(|diagnostic| report.add(diagnostic));
        let errors = reading.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        report.wrong = errors.map(|diagnostic| diagnostic.place.clone()).collect();
        report
    }

    /// Does something that will be done again in earnest: what is wrong is said then.
    pub(super) fn quietly<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.is_quiet.replace(true);
        let done = work();
        self.is_quiet.set(before);
        done
    }

    /// Adds one, unless the same was said of the same place: compositions are compiled once for
    /// each place that uses them.
    pub(super) fn add(&self, diagnostic: Diagnostic) {
        if self.is_quiet.get() || self.refused.implies(&diagnostic) {
            return;
        }
        let said = (diagnostic.place.clone(), diagnostic.code, diagnostic.message.clone());
        if !self.wrong.contains(&diagnostic.place) && self.said.borrow_mut().insert(said) {
            self.found.borrow_mut().push(diagnostic);
        }
    }

    /// Adds an error with a sentence of help, which may be empty.
    pub(super) fn error(&self, code: &'static str, (place, path): (&Place, &str), message: String, help: String) {
        self.add(Diagnostic::error(code, place.clone(), path, message).help(help));
    }

    /// Adds what is wrong with an expression inside a scalar; `start` is where the expression
    /// begins in the scalar's text.
    pub(super) fn mistakes(
        &self,
        code: &'static str,
        (scalar, start): (&Scalar, usize),
        path: &str,
        mistakes: Vec<Mistake>,
    ) {
        for mistake in mistakes {
            self.add(diagnostic(code, (scalar, start), path, mistake));
        }
    }

    /// Adds what is allowed in an expression and probably not meant.
    pub(super) fn warnings(
        &self,
        code: &'static str,
        (scalar, start): (&Scalar, usize),
        path: &str,
        warnings: Vec<Mistake>,
    ) {
        for warning in warnings {
            self.add(diagnostic(code, (scalar, start), path, warning).warning());
        }
    }

    /// Whether an error was found so far at a key path of which `concerns` is true.
    pub(super) fn has_error(&self, concerns: impl Fn(&str) -> bool) -> bool {
        self.found.borrow().iter().any(|known| known.severity == Severity::Error && concerns(&known.path))
    }

    /// Everything found, in the order of files and lines; and whether there is an error among it.
    pub(super) fn finish(self) -> (Vec<Diagnostic>, bool) {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| (diagnostic.place.file, diagnostic.place.bytes.start));
        let failed = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        (found, failed)
    }
}

/// What is said of a part of an expression, which begins at `start` in the scalar's text.
fn diagnostic(code: &'static str, (scalar, start): (&Scalar, usize), path: &str, mistake: Mistake) -> Diagnostic {
    let Range { start: from, end: to } = mistake.bytes;
    let place = scalar.place_of(start + from..start + to);
    Diagnostic::error(code, place, path, mistake.message).help(mistake.help)
}
