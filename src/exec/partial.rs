//! What an answer had to do without.

use std::fmt::Write as _;

/// Failures that were replaced by null or a default, one note per step.
#[derive(Clone, Debug, Default)]
pub struct Partial {
    /// In the order in which the steps first failed.
    pub notes: Vec<Note>,
}

/// One step's failures within one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The step.
    pub step: Box<str>,
    /// The code of its first failure.
    pub code: Box<str>,
    /// How often it failed; more than once only for steps that run per item.
    pub count: usize,
}

impl Partial {
    /// Adds a failure of a step.
    pub fn add(&mut self, step: &str, code: &str) {
        if let Some(note) = self.notes.iter_mut().find(|note| *note.step == *step && *note.code == *code) {
            note.count += 1;
        } else {
            self.notes.push(Note { step: step.into(), code: code.into(), count: 1 });
        }
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// The value of the `Selvedge-Partial` header field: `reviews;code=timeout, cards;code=…;count=3`
    /// (a list of RFC 9651 tokens with parameters), sorted by step so that arrival order does not show.
    pub fn header(&self) -> String {
        let mut notes: Vec<&Note> = self.notes.iter().collect();
        notes.sort_by(|a, b| (&a.step, &a.code).cmp(&(&b.step, &b.code)));
        let mut out = String::new();
        for note in notes {
            let comma = if out.is_empty() { "" } else { ", " };
            let _ = write!(out, "{comma}{};code={}", note.step, note.code);
            if note.count > 1 {
                let _ = write!(out, ";count={}", note.count);
            }
        }
        out
    }
}
