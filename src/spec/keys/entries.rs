//! One mapping while its keys are taken.

use crate::base::diagnostic::{Place, did_you_mean, suggestion};
use crate::spec::model::Located;
use crate::spec::not_yet;
use crate::spec::yaml::{Kind, Node};

use super::{FromNode, Keys, ObjectDoc, Reader, Shape};

/// The entries of one mapping: what is left at the end was not asked for.
pub(in crate::spec) struct Entries<'a> {
    node: &'a Node,
    /// The name that the mapping is defined under, where it has one.
    name: Option<&'a Located<String>>,
    pairs: &'a [(Located<String>, Node)],
    taken: Vec<bool>,
    /// The types whose keys were asked for; the first is the mapping's own.
    asked: Vec<&'static ObjectDoc>,
}

impl<'a> Entries<'a> {
    /// Reads `node`, which must be a mapping, as a `T`; says what is wrong with every key.
    pub(in crate::spec) fn read<T: Keys>(
        node: &'a Node,
        name: Option<&'a Located<String>>,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        let Kind::Mapping(pairs) = &node.kind else {
            reader.expected(&format!("{}: a mapping such as `{}`", T::DOC.title, T::DOC.example), node);
            return None;
        };
        let mut entries = Self { node, name, pairs, taken: vec![false; pairs.len()], asked: Vec::new() };
        let whole = T::take(&mut entries, reader);
        entries.refuse_the_rest(&T::DOC, reader);
        whole
    }

    /// Where the mapping is written.
    pub(in crate::spec) fn place(&self) -> &'a Place {
        &self.node.place
    }

    /// The name that the mapping is defined under.
    pub(in crate::spec) fn name(&self) -> Option<&'a Located<String>> {
        self.name
    }

    /// Says that the keys of `doc` may stand here.
    pub(in crate::spec) fn allow(&mut self, doc: &'static ObjectDoc) {
        self.asked.push(doc);
    }

    /// The key as written, if it stands here and nobody took it.
    pub(in crate::spec) fn find(&self, key: &str) -> Option<&'a Located<String>> {
        self.position(key).map(|at| &self.pairs[at].0)
    }

    /// Whether any of `keys` stands here, taken or not.
    pub(in crate::spec) fn has_any(&self, keys: &[&str]) -> bool {
        self.pairs.iter().any(|(key, _)| keys.contains(&key.value.as_str()))
    }

    /// Whether some key here is probably meant to be one of `keys` and misspelt: then it is reported
    /// itself, and that they are missing need not be.
    pub(in crate::spec) fn has_misspelt(&self, keys: &[&str]) -> bool {
        self.untaken().any(|key| suggestion(&key.value, keys.iter().copied()).is_some())
    }

    /// The keys that nobody took, in written order.
    pub(in crate::spec) fn untaken(&self) -> impl Iterator<Item = &'a Located<String>> + '_ {
        self.pairs.iter().zip(&self.taken).filter(|(_, taken)| !**taken).map(|((key, _), _)| key)
    }

    /// Takes one key with its value.
    pub(in crate::spec) fn take(&mut self, key: &str) -> Option<&'a (Located<String>, Node)> {
        let at = self.position(key)?;
        self.taken[at] = true;
        Some(&self.pairs[at])
    }

    /// Takes every key that `doc` or one of its alternatives has: what they belong to is not known,
    /// and that is reported already.
    pub(in crate::spec) fn skip(&mut self, doc: &'static ObjectDoc) {
        self.asked.push(doc);
        for field in doc.fields {
            match (field.shape)() {
                Shape::Beside(group) if field.key.is_empty() => self.skip(group),
                _ => drop(self.take(field.key)),
            }
        }
        doc.alternatives.iter().for_each(|doc| self.skip(doc));
    }

    /// Takes one key and reads its value, or says that it is missing where it must not be.
    pub(in crate::spec) fn field<T: FromNode>(&mut self, key: &str, reader: &mut Reader<'_>) -> Option<T> {
        if let Some((_, node)) = self.take(key) {
            // What cannot be read was reported; without it the rest of the mapping can still be checked.
            return reader.within(key, |reader| T::read(node, reader)).or_else(T::absent);
        }
        let absent = T::absent();
        if absent.is_none() {
            let (title, example) = self.asked.last().map_or(("this", ""), |doc| (doc.title, doc.example));
            let missing = reader
                .error("missing-key", self.place(), format!("{title} needs `{key}`"))
                .help(format!("write it as in `{example}`"));
            reader.report(missing);
        }
        absent
    }

    fn position(&self, key: &str) -> Option<usize> {
        (0..self.pairs.len()).find(|&at| !self.taken[at] && self.pairs[at].0.value == key)
    }

    fn refuse_the_rest(&self, whole: &ObjectDoc, reader: &mut Reader<'_>) {
        let rest: Vec<_> = self.untaken().collect();
        for key in rest {
            let refusal = if self.asked.iter().any(|doc| not_yet::covers(doc.name, &key.value)) {
                reader
                    .error(not_yet::CODE, &key.place, format!("`{}` is not supported by this version", key.value))
                    .help(not_yet::help(&key.value))
            } else {
                let allowed = self.asked.iter().flat_map(|doc| doc.fields).map(|field| field.key);
                reader
                    .error("unknown-key", &key.place, format!("unknown key `{}` in {}", key.value, whole.title))
                    .help(what_is_allowed(&key.value, allowed.filter(|key| !key.is_empty())))
            };
            reader.report(refusal);
        }
    }
}

/// "did you mean `x`?" and what is allowed here.
fn what_is_allowed<'k>(key: &str, allowed: impl Iterator<Item = &'k str>) -> String {
    let allowed: Vec<&str> = allowed.collect();
    let listed = allowed.join(", ");
    match suggestion(key, allowed.iter().copied()) {
        Some(_) => format!("{} Allowed here: {listed}", did_you_mean(key, allowed)),
        None => format!("allowed here: {listed}"),
    }
}
