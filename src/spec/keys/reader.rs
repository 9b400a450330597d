//! What reading collects: diagnostics, and the key path of where it is.

use std::collections::BTreeSet;

use crate::base::diagnostic::{Diagnostic, Place, did_you_mean};
use crate::spec::constant::LookUp;
use crate::spec::model::Located;
use crate::spec::name::{KeyPath, is_name, is_reserved};
use crate::spec::not_yet::{self, Refused};
use crate::spec::yaml::{Kind, Literal, Node, Scalar};

use super::FromScalar;
use super::scalars::expectation;

/// What is known while composition files are read.
pub(in crate::spec) struct Reader<'a> {
    diagnostics: Vec<Diagnostic>,
    unread: BTreeSet<String>,
    refused: Refused,
    path: KeyPath,
    /// Answers `env()` and `file()`.
    pub(in crate::spec) look_up: LookUp<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the top of a project.
    pub(in crate::spec) fn new(look_up: LookUp<'a>) -> Self {
        let (diagnostics, unread, refused) = (Vec::new(), BTreeSet::new(), Refused::default());
        Self { diagnostics, unread, refused, path: KeyPath::default(), look_up }
    }

    /// Everything that was reported, the key paths of the definitions that could not be read, and what is refused.
    pub(in crate::spec) fn finish(self) -> (Vec<Diagnostic>, BTreeSet<String>, Refused) {
        (self.diagnostics, self.unread, self.refused)
    }

    /// The key path of what is being read.
    pub(in crate::spec) fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Reads something under a key.
    pub(in crate::spec) fn within<R>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        let mark = self.path.enter(key);
        let result = read(self);
        self.path.leave(mark);
        result
    }

    /// Reads one item of a list.
    pub(in crate::spec) fn within_item<R>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> R) -> R {
        let mark = self.path.enter_item(index);
        let result = read(self);
        self.path.leave(mark);
        result
    }

    /// An error at a place, with the key path of what is being read.
    pub(in crate::spec) fn error(&self, code: &'static str, place: &Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, place.clone(), self.path.as_str(), message)
    }

    /// Collects a diagnostic.
    pub(in crate::spec) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.refused.implies(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Begins the value of a key that belongs to the language but not to this version: of what is in it only mistakes
    /// are said.
    pub(in crate::spec) fn begin_refused(&mut self, value: &Node) {
        self.refused.add(value);
    }

    /// Says that a key of the type `object` belongs to the language but not to this version, unless it is wrong
    /// anyway.
    pub(in crate::spec) fn refuse(&mut self, key: &Located<String>, object: &str) {
        if self.diagnostics.iter().all(|known| known.place != key.place) {
            let message = format!("`{}` is not supported by this version", key.value);
            let help = not_yet::help(object, &key.value);
            let diagnostic = self.error(not_yet::CODE, &key.place, message).help(help);
            self.report(diagnostic);
        }
    }

    /// Notes that what stands at a key path could not be read.
    pub(in crate::spec) fn note_unread(&mut self, path: String) {
        self.unread.insert(path);
    }

    /// Reports a value of the wrong type: what was expected, with an example, and what is there.
    pub(in crate::spec) fn expected(&mut self, what: &str, found: &Node) {
        let message = format!("expected {what}, found {}", describe(found));
        let diagnostic = self.error("wrong-type", &found.place, message);
        self.report(diagnostic);
    }

    /// Reads something that nothing may show: what is wrong with it is said in other words, at `place`.
    pub(in crate::spec) fn without_showing<R>(
        &mut self,
        (place, expected): (&Place, &str),
        read: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let known = self.diagnostics.len();
        let result = read(self);
        if let Some(code) = self.diagnostics.get(known).map(|diagnostic| diagnostic.code) {
            self.diagnostics.truncate(known);
            let diagnostic = self.error(code, place, format!("expected {expected}"));
            self.report(diagnostic);
        }
        result
    }

    /// [`Reader::expected`] for a scalar.
    pub(in crate::spec) fn expected_scalar(&mut self, what: &str, found: &Scalar) {
        self.expected(what, &Node { kind: Kind::Scalar(found.clone()), place: found.place.clone() });
    }

    /// Reports a scalar that has not the form of a `T`.
    pub(in crate::spec) fn expected_form<T: FromScalar>(&mut self, found: &Scalar) {
        self.expected_scalar(&expectation(&T::shape()), found);
    }

    /// The word of `words` that a scalar is; reports it when it is none.
    pub(in crate::spec) fn word(&mut self, scalar: &Scalar, words: &'static [&'static str]) -> Option<&'static str> {
        let written = match &scalar.value {
            Literal::Text(text) | Literal::Number(text) => text.as_str(),
            Literal::Bool(true) => "true",
            Literal::Bool(false) => "false",
            Literal::Null => "null",
        };
        let found = words.iter().find(|word| **word == written).copied();
        if found.is_none() {
            let diagnostic = self
                .error("unknown-word", &scalar.place, format!("`{written}` is none of {}", words.join(", ")))
                .help(did_you_mean(written, words.iter().copied()));
            self.report(diagnostic);
        }
        found
    }

    /// The same for a name that expressions see without a prefix: it may not hide one of the language.
    pub(in crate::spec) fn checked_free_name(&mut self, kind: &str, name: &Located<String>) -> bool {
        if !is_reserved(&name.value) {
            return self.checked_name(kind, name);
        }
        let kind = with_article(kind);
        let message = format!("`{}` cannot name {kind}: it means something in every expression", name.value);
        let diagnostic = self
            .error("reserved-name", &name.place, message)
            .help(format!("choose another, such as `the_{}`", name.value));
        self.report(diagnostic);
        false
    }

    /// Whether `name` can stand in expressions; reports it when it cannot. `kind` is what it names.
    pub(in crate::spec) fn checked_name(&mut self, kind: &str, name: &Located<String>) -> bool {
        let valid = is_name(&name.value);
        if !valid {
            let mended: String = name.value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            let help = if is_name(&mended) { format!("write `{mended}`") } else { String::new() };
            let message = format!(
                "`{}` cannot name {}: names are letters, digits and `_`, not beginning with a digit",
                name.value,
                with_article(kind)
            );
            let diagnostic = self.error("invalid-name", &name.place, message).help(help);
            self.report(diagnostic);
        }
        valid
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// What a node is, for "expected …, found …".
fn describe(node: &Node) -> String {
    match &node.kind {
        Kind::Sequence(items) => format!("a list of {}", items.len()),
        Kind::Mapping(_) => "a mapping".to_owned(),
        Kind::Scalar(scalar) => match &scalar.value {
            Literal::Text(text) => format!("the text `{}`", shortened(text)),
            Literal::Bool(value) => format!("the boolean `{value}`"),
            Literal::Number(text) => format!("the number `{}`", shortened(text)),
            Literal::Null => "nothing (null)".to_owned(),
        },
    }
}

fn shortened(text: &str) -> String {
    /// Longer text adds nothing to a message whose source line is shown anyway.
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}
