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
    /// The keys that this version lacks, each with the type that it belongs to.
    refused: Vec<(&'a Located<String>, &'static str)>,
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
        let mut entries =
            Self { node, name, pairs, taken: vec![false; pairs.len()], refused: Vec::new(), asked: Vec::new() };
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

    /// Whether nothing stands here.
    pub(in crate::spec) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The key as written, taken or not.
    pub(in crate::spec) fn written(&self, key: &str) -> Option<&'a Located<String>> {
        self.pairs.iter().map(|(key, _)| key).find(|written| written.value == key)
    }

    /// Says that exactly one of `keys` must stand here, if that is not so.
    pub(in crate::spec) fn expect_one(&self, keys: &[&str], reader: &mut Reader<'_>) {
        if !self.has_any(keys) && !self.has_misspelt(keys) {
            let title = self.asked.first().map_or("this", |doc| doc.title);
            let missing = reader
                .error("missing-key", self.place(), format!("{title} needs one of {}", in_code(keys)))
                .help(self.asked.first().map_or(String::new(), |doc| format!("write it as in `{}`", doc.example)));
            reader.report(missing);
        }
        self.expect_one_at_most(keys, reader);
    }

    /// Says that only one of `keys` may stand here, if there are more.
    pub(in crate::spec) fn expect_one_at_most(&self, keys: &[&str], reader: &mut Reader<'_>) {
        let mut written = self.pairs.iter().map(|(key, _)| key).filter(|key| keys.contains(&key.value.as_str()));
        let Some(first) = written.next() else { return };
        for other in written {
            let message = format!("`{}` cannot stand beside `{}`", other.value, first.value);
            let diagnostic = reader
                .error("conflicting-keys", &other.place, message)
                .help("leave one of them out")
                .related(first.place.clone(), format!("`{}` stands here", first.value));
            reader.report(diagnostic);
        }
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
        let is_unknown = |key: &&str| !self.asked.iter().any(|doc| has_key(doc, key));
        let written = self.pairs.iter().map(|(key, _)| key.value.as_str());
        written.filter(is_unknown).any(|key| suggestion(key, keys.iter().copied()).is_some())
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
        if let Some((key, node)) = self.take(key) {
            if let Some(object) = self.lacking(&key.value) {
                self.refused.push((key, object));
                reader.begin_refused(node);
            }
            // What cannot be read was reported; without it the rest of the mapping can still be checked.
            return reader.within(&key.value, |reader| T::read(node, reader)).or_else(T::absent);
        }
        let absent = T::absent();
        if absent.is_none() && !self.has_misspelt(&[key]) {
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

    /// The type that a key belongs to which this version lacks.
    fn lacking(&self, key: &str) -> Option<&'static str> {
        self.asked.iter().map(|doc| doc.name).find(|object| not_yet::covers(object, key))
    }

    fn refuse_the_rest(&mut self, whole: &ObjectDoc, reader: &mut Reader<'_>) {
        for ((key, _), _) in self.pairs.iter().zip(&self.taken).filter(|(_, taken)| !**taken) {
            if let Some(object) = self.lacking(&key.value) {
                self.refused.push((key, object));
                continue;
            }
            let refusal = reader
                .error("unknown-key", &key.place, format!("unknown key `{}` in {}", key.value, whole.title))
                .help(self.what_is_allowed(&key.value));
            reader.report(refusal);
        }
        for (key, object) in &self.refused {
            reader.refuse(key, object);
        }
    }

    /// "did you mean `x`?" and what is allowed here.
    fn what_is_allowed(&self, key: &str) -> String {
        let known: Vec<&str> = self.asked.iter().flat_map(|doc| doc.fields).map(|field| field.key).collect();
        let known: Vec<&str> = known.into_iter().filter(|key| !key.is_empty()).collect();
        let supported: Vec<&str> = known.iter().copied().filter(|key| self.lacking(key).is_none()).collect();
        let listed = supported.join(", ");
        match suggestion(key, known.iter().copied()) {
            Some(_) => format!("{} Allowed here: {listed}", did_you_mean(key, known)),
            None => format!("allowed here: {listed}"),
        }
    }
}

/// Whether a type has a key, itself or in a group that stands in it.
fn has_key(doc: &ObjectDoc, key: &str) -> bool {
    let in_fields = doc.fields.iter().any(|field| match (field.shape)() {
        Shape::Beside(group) if field.key.is_empty() => has_key(group, key),
        _ => field.key == key,
    });
    in_fields || doc.alternatives.iter().any(|doc| has_key(doc, key))
}

/// Words as messages list them.
fn in_code(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
