//! The same files through prost-reflect, which is another reading of the same rules.

use prost_reflect::DescriptorPool as Reflected;

use crate::descriptor::{Cardinality, DescriptorPool, Kind, Library, Sets, Texts};

/// One line for each thing in a pool.
fn ours(pool: &DescriptorPool) -> Vec<String> {
    let mut lines = Vec::new();
    for message in pool.messages() {
        let name = message.full_name();
        for field in message.fields() {
            let kind = match field.kind() {
                Kind::Message(message) => message.full_name().to_owned(),
                Kind::Enum(of) => {
                    let values: Vec<String> =
                        of.values().iter().map(|value| format!("{}={}", value.name, value.number)).collect();
                    format!("{} {}", of.full_name(), values.join(","))
                }
                kind => format!("{kind:?}").to_lowercase(),
            };
            lines.push(format!(
                "{name}.{} {} {} {kind} list={} required={} map={} group={} presence={} oneof={:?}",
                field.name(),
                field.json_name(),
                field.number(),
                field.cardinality() == Cardinality::Repeated,
                field.cardinality() == Cardinality::Required,
                field.is_map(),
                field.is_delimited(),
                field.supports_presence(),
                field.oneof().and_then(|oneof| message.oneofs().nth(oneof as usize)),
            ));
        }
    }
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let (input, output) = (method.input(), method.output());
        lines.push(format!(
            "{}/{} {} {}",
            method.parent_service().full_name(),
            method.name(),
            input.full_name(),
            output.full_name()
        ));
    }
    lines.sort();
    lines
}

fn theirs(pool: &Reflected) -> Vec<String> {
    let mut lines = Vec::new();
    for message in pool.all_messages() {
        let name = message.full_name().to_owned();
        for field in message.fields() {
            let kind = match field.kind() {
                prost_reflect::Kind::Message(message) => message.full_name().to_owned(),
                prost_reflect::Kind::Enum(of) => {
                    let mut values: Vec<_> = of.values().collect();
                    values.sort_by_key(|value| value.path().last().copied());
                    let values: Vec<String> =
                        values.iter().map(|value| format!("{}={}", value.name(), value.number())).collect();
                    format!("{} {}", of.full_name(), values.join(","))
                }
                kind => format!("{kind:?}").to_lowercase(),
            };
            let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
            lines.push(format!(
                "{name}.{} {} {} {kind} list={} required={} map={} group={} presence={} oneof={:?}",
                field.name(),
                field.json_name(),
                field.number(),
                field.cardinality() == prost_reflect::Cardinality::Repeated,
                field.cardinality() == prost_reflect::Cardinality::Required,
                field.is_map(),
                field.is_group(),
                field.supports_presence(),
                oneof.as_ref().map(|oneof| oneof.name()),
            ));
        }
    }
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let (input, output) = (method.input(), method.output());
        lines.push(format!(
            "{}/{} {} {}",
            method.parent_service().full_name(),
            method.name(),
            input.full_name(),
            output.full_name()
        ));
    }
    lines.sort();
    lines
}

/// Both readings of the files of a folder, from text and from a compiled set.
fn compare(folder: &str, files: &[&str]) {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut compiler = protox::Compiler::new([&folder]).expect("the folder is there");
    compiler.include_imports(true).open_files(files).expect("they compile");
    let expected = theirs(&compiler.descriptor_pool());
    let mut sets = Sets::default();
    sets.add(&compiler.encode_file_descriptor_set()).expect("it is a set");
    let from_set = Library { texts: &Texts::default(), sets: &sets }.link(&[]).expect("the set links");
    assert_eq!(ours(&from_set), expected);
    let read = |name: &&str| {
        ((*name).to_owned(), std::fs::read_to_string(format!("{folder}/{name}")).expect("it is there").into())
    };
    let texts = Texts::new(files.iter().map(read));
    let roots: Vec<String> = files.iter().map(|name| (*name).to_owned()).collect();
    let from_text = Library { texts: &texts, sets: &Sets::default() }.link(&roots).expect("the texts link");
    assert_eq!(ours(&from_text), expected);
}

#[test]
fn messages_of_every_kind_are_read_as_prost_reflect_reads_them() {
    compare("src/transport/grpc/message/tests", &["rich.proto", "old.proto"]);
}

#[test]
fn the_store_is_read_as_prost_reflect_reads_it() {
    compare("proto", &["store/reviews/v1/reviews.proto", "store/inventory/v1/inventory.proto"]);
}

#[test]
fn bundled_files_are_those_that_protox_carries() {
    let bundled = |name: &str| {
        let texts = Texts::default();
        let pool = Library { texts: &texts, sets: &Sets::default() }.link(&[name.to_owned()]).expect("it links");
        ours(&pool)
    };
    for name in
        ["any", "api", "duration", "empty", "field_mask", "source_context", "struct", "timestamp", "type", "wrappers"]
    {
        let name = format!("google/protobuf/{name}.proto");
        let mut compiler = protox::Compiler::with_file_resolver(protox::file::GoogleFileResolver::new());
        compiler.include_imports(true).open_file(&name).expect("it is built in");
        let theirs = theirs(&compiler.descriptor_pool());
        let known = bundled(&name);
        let missing: Vec<_> = theirs.iter().filter(|line| !known.contains(line)).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{name}");
    }
}
