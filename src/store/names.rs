//! Names in the store: digests, which say nothing of what they stand for.

use ring::digest::{Context, SHA256, SHA512};

use crate::policy::cache::Purge;

/// What begins every name, with the form of what is kept: one that is read otherwise has another.
const PREFIX: &str = "selvedge:1:";

/// A SHA-256.
pub type Digest = [u8; 32];

/// The name of a reply: half of the SHA-512 of everything that its call depends on. The other half stands beside the reply
/// and is compared, so that no two calls are taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub(super) half: Digest,
    pub(super) proof: Digest,
}

/// The name of what replies are thrown away by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label(pub(super) [u8; 16]);

/// The digest of parts, each of any length.
pub fn digest<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

impl Name {
    /// The name of the reply to a call: `meaning` is what makes replies worth the same, `key` what tells calls apart.
    pub fn new(meaning: [&Digest; 2], key: &[u8]) -> Self {
        let mut context = Context::new(&SHA512);
        meaning.iter().for_each(|digest| context.update(*digest));
        context.update(key);
        let whole = context.finish();
        let (half, proof) = whole.as_ref().split_at(32);
        let mut name = Self { half: Digest::default(), proof: Digest::default() };
        name.half.copy_from_slice(half);
        name.proof.copy_from_slice(proof);
        name
    }

    pub(super) fn text(&self) -> String {
        text("reply", &self.half)
    }
}

impl Label {
    pub(super) fn of(purge: Purge<'_>) -> Self {
        let whole = match purge {
            Purge::All => digest([&b"all"[..]]),
            Purge::Backend(name) => digest([&b"backend"[..], name.as_bytes()]),
            Purge::Tag(tag) => digest([&b"tag"[..], tag.as_bytes()]),
        };
        let mut label = Self(Default::default());
        label.0.copy_from_slice(&whole[..16]);
        label
    }

    /// Those of a reply of a backend with these tags.
    pub(super) fn all<'t>(backend: &'t str, tags: &'t [Box<str>]) -> impl Iterator<Item = Self> + 't {
        let around = [Purge::All, Purge::Backend(backend)];
        around.into_iter().chain(tags.iter().map(|tag| Purge::Tag(tag))).map(Self::of)
    }

    pub(super) fn text(self) -> String {
        text("label", &self.0)
    }
}

/// The name of what is known by a digest.
pub(super) fn text(sort: &str, digest: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{PREFIX}{sort}:");
    for byte in digest {
        // Writing to text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_digests_of_all_that_tells_calls_apart() {
        let (one, two) = (digest([&b"one"[..]]), digest([&b"two"[..]]));
        let name = Name::new([&one, &two], b"GET /secret");
        let text = name.text();
        assert!(text.starts_with("selvedge:1:reply:") && text.len() == "selvedge:1:reply:".len() + 64, "{text}");
        assert_eq!(name, Name::new([&one, &two], b"GET /secret"));
        assert_ne!(name, Name::new([&two, &one], b"GET /secret"));
        assert_ne!(name, Name::new([&one, &two], b"GET /other"));
    }

    #[test]
    fn parts_are_told_apart_by_their_lengths() {
        assert_ne!(digest([&b"ab"[..], b"c"]), digest([&b"a"[..], b"bc"]));
    }

    #[test]
    fn a_tag_a_backend_and_everything_have_labels_of_their_own() {
        assert_ne!(Label::of(Purge::Tag("a")), Label::of(Purge::Backend("a")));
        let labels: Vec<_> = Label::all("a", &["t".into()]).collect();
        assert_eq!(labels, [Purge::All, Purge::Backend("a"), Purge::Tag("t")].map(Label::of));
    }
}
