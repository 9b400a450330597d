//! A project on disk: which files are read, and what is said of those that cannot be.

use std::path::{Path, PathBuf};

use crate::spec::{Reading, read};

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let root = std::env::temp_dir().join(format!("selvedge-spec-{}-{name}", std::process::id()));
        for (path, bytes) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(&root)).expect("the temporary folder is writable");
            std::fs::write(path, bytes).expect("the temporary folder is writable");
        }
        Self(root)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn codes(reading: &Reading) -> Vec<&str> {
    reading.diagnostics.iter().map(|found| found.code).collect()
}

#[test]
fn compositions_schemas_and_protos_are_read_in_the_order_of_their_names() {
    let folder = Folder::new(
        "order",
        &[
            ("compositions/b.yml", b"backends: { b: { rest: http://b } }"),
            ("compositions/a.yaml", b"\xEF\xBB\xBFbackends: { a: { rest: http://a } }"),
            ("compositions/c.json", b"{ \"backends\": { \"c\": { \"rest\": \"http://c\" } } }"),
            ("compositions/prod/a.yaml", b"not: read"),
            ("compositions/README.md", b"not: read"),
            ("schema/a.graphql", b"type Query { a: Int }"),
            ("schema/a.openapi.yaml", b"openapi: 3.1.0"),
            ("proto/store/v1/a.proto", b"syntax = \"proto3\";"),
            ("proto/b.proto", b"syntax = \"proto3\";"),
        ],
    );
    let reading = read(&folder.0);
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let spec = reading.spec.expect("nothing is wrong");
    assert_eq!(spec.backends.iter().map(|backend| backend.name.value.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(
        reading.sources.position(spec.backends[0].name.place.file, spec.backends[0].name.place.bytes.start),
        (1, 13)
    );
    let paths = |files: &[crate::spec::SourceFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&reading.schemas), ["schema/a.graphql"]);
    assert_eq!(paths(&reading.protos), ["proto/b.proto", "proto/store/v1/a.proto"]);
}

#[test]
fn a_folder_without_compositions_says_what_is_missing() {
    let nowhere = read(Path::new("/nonexistent"));
    assert_eq!(codes(&nowhere), ["no-compositions"]);
    assert_eq!(nowhere.diagnostics[0].message, "there is no folder /nonexistent/compositions");
    assert!(nowhere.spec.is_none());
    let empty = read(&Folder::new("empty", &[("compositions/README.md", b"")]).0);
    assert!(empty.diagnostics[0].message.starts_with("there is no .yaml, .yml or .json file in "), "{empty:?}");
    assert!(empty.sources.render(&empty.diagnostics[0]).contains("--> compositions:1:1"));
}

#[test]
fn files_that_are_no_text_or_too_large_are_refused() {
    let large = vec![b' '; (4 << 20) + 1];
    let files: &[(&str, &[u8])] =
        &[("compositions/a.yaml", b"a: \xFF"), ("compositions/b.yaml", &large), ("compositions/c.yaml", b"parts: {}")];
    let reading = read(&Folder::new("refused", files).0);
    assert_eq!(codes(&reading), ["unreadable-file", "unreadable-file"]);
    assert!(reading.spec.is_none());
}
