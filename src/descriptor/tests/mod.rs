//! Descriptors: what links, what does not, and what prost-reflect says of the same files.

mod editions;
mod linking;
mod oracle;

use prost::Message as _;

use super::{DescriptorPool, FieldDescriptor, Library, Mistake, Sets, Texts, raw};

/// The pool of one text.
fn pool(text: &str) -> Result<DescriptorPool, Vec<Mistake>> {
    texts(&[("t.proto", text)])
}

/// The pool of several texts; all of them are roots.
fn texts(files: &[(&str, &str)]) -> Result<DescriptorPool, Vec<Mistake>> {
    let texts = Texts::new(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())));
    let roots: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    Library { texts: &texts, sets: &Sets::default() }.link(&roots)
}

/// The pool of a set.
fn set(files: Vec<raw::File>) -> Result<DescriptorPool, Vec<Mistake>> {
    let mut sets = Sets::default();
    sets.add(&raw::FileSet { file: files }.encode_to_vec()).expect("it is a set");
    Library { texts: &Texts::default(), sets: &sets }.link(&[])
}

/// What is wrong, as `place: message`; the place is the text there.
fn wrong(text: &str) -> Vec<String> {
    let mistakes = pool(text).expect_err("something is wrong");
    let shown = |mistake: Mistake| format!("{}: {}", &text[mistake.bytes.expect("it has a place")], mistake.message);
    mistakes.into_iter().map(shown).collect()
}

fn field(pool: &DescriptorPool, message: &str, name: &str) -> FieldDescriptor {
    pool.message(message).expect("the message").field_named(name).expect("the field")
}
