//! The schema that the tests share, compiled from the .proto files beside this one.

mod decoding;
mod encoding;
mod hostile;
mod message_set;
mod properties;
mod random;

use std::sync::{Arc, LazyLock};

use prost_reflect::{DescriptorPool, MessageDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use super::{JsonErrors, MessageId, Tables, WireError};
use crate::base::value::Doc;
use crate::descriptor::{Library, Sets, Texts};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Sources);
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.open_files(["rich.proto", "old.proto"]).expect("the test protos compile");
    compiler.descriptor_pool()
});

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let sources = [("rich.proto", include_str!("rich.proto")), ("old.proto", include_str!("old.proto"))];
    let texts = Texts::new(sources.map(|(name, text)| (name.to_owned(), text.into())));
    let roots = sources.map(|(name, _)| name.to_owned());
    let pool = Library { texts: &texts, sets: &Sets::default() }.link(&roots).expect("the test protos link");
    Tables::build(["rich.Rich", "old.Old"].map(|name| pool.message(name).expect("a message of the test protos")))
});

struct Sources;

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "rich.proto" => File::from_source(name, include_str!("rich.proto")),
            "old.proto" => File::from_source(name, include_str!("old.proto")),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

fn descriptor(full_name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(full_name).expect("a message of the test protos")
}

fn id(full_name: &str) -> MessageId {
    TABLES.message(full_name).expect("a message of the tables")
}

fn encode(full_name: &str, json: &str) -> Result<Vec<u8>, JsonErrors> {
    let mut out = Vec::new();
    super::encode(&TABLES, id(full_name), json.as_bytes(), &mut out).map(|()| out)
}

fn decode(full_name: &str, wire: &[u8]) -> Result<Arc<Doc>, WireError> {
    super::decode(&TABLES, id(full_name), wire).map(Arc::new)
}

/// The JSON text of wire bytes.
fn json(full_name: &str, wire: &[u8]) -> Result<String, WireError> {
    decode(full_name, wire).map(|doc| String::from_utf8(doc.bytes().to_vec()).expect("UTF-8"))
}
