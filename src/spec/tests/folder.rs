//! A project on disk: which files are read, and what is said of those that cannot be.

use std::path::{Path, PathBuf};

use crate::spec::{Project, Reading, Switch, look_up_in_process, profiles};

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

fn read(root: &Path) -> Reading {
    crate::spec::read(Project { root, profile: None }, &look_up_in_process)
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

#[test]
fn what_is_no_file_is_refused_and_not_read_without_end() {
    let folder = Folder::new("devices", &[("compositions/a.yaml", b"parts: {}"), ("proto/a/b.proto", b"")]);
    std::fs::create_dir(folder.0.join("schema")).expect("the temporary folder is writable");
    let devices = ["compositions/b.yaml", "proto/a/c.proto", "schema/d.graphql", "schema/e.json"];
    for path in devices {
        std::os::unix::fs::symlink("/dev/zero", folder.0.join(path)).expect("the temporary folder is writable");
    }
    let reading = read(&folder.0);
    let mut said: Vec<(&str, &str)> = reading
        .diagnostics
        .iter()
        .map(|found| (reading.sources.name(found.place.file), found.message.as_str()))
        .collect();
    said.sort_unstable();
    assert_eq!(said, devices.map(|path| (path, "the file cannot be read: it is a device and no file")));
}

#[test]
fn a_profile_says_again_member_by_member_and_keeps_the_order() {
    let folder = Folder::new(
        "profile",
        &[
            ("compositions/a.yaml", b"backends:\n  a: { rest: http://a, timeout: 1s }\n  b: { rest: [http://b] }\n"),
            ("compositions/prod/a.yaml", b"backends:\n  c: { rest: http://c }\n  a: { timeout: 2s }\n"),
            ("compositions/prod/b.yaml", b"backends:\n  b: { rest: [http://b1, http://b2] }\n"),
            ("compositions/..data/a.yaml", b"not: read"),
        ],
    );
    assert_eq!(profiles(&folder.0), ["prod"]);
    let reading = crate::spec::read(Project { root: &folder.0, profile: Some("prod") }, &look_up_in_process);
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let backends = &reading.spec.as_ref().expect("nothing is wrong").backends;
    assert_eq!(backends.iter().map(|backend| backend.name.value.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let timeout = backends[0].value.timeout.as_ref().and_then(Switch::on).expect("written");
    assert_eq!(timeout.value, std::time::Duration::from_secs(2));
    let at = |place: &crate::base::diagnostic::Place| {
        (reading.sources.name(place.file), reading.sources.position(place.file, place.bytes.start))
    };
    assert_eq!(at(&timeout.place), ("compositions/prod/a.yaml", (3, 17)));
    assert_eq!(at(&backends[0].name.place), ("compositions/a.yaml", (2, 3)));
    assert_eq!(backends[0].value.reach.protocol().addresses().len(), 1);
    assert_eq!(backends[1].value.reach.protocol().addresses().len(), 2);
}

#[test]
fn a_profile_says_again_the_endpoint_of_its_host() {
    let folder = Folder::new(
        "profile-hosts",
        &[
            ("compositions/a.yaml", b"endpoints: { GET /a: { host: a.test, result: 1 } }"),
            ("compositions/b.yaml", b"endpoints: { GET /a: { host: [b.test], result: 2 } }"),
            ("compositions/prod/b.yaml", b"endpoints: { GET /a: { host: b.test, timeout: 2s } }"),
        ],
    );
    let reading = crate::spec::read(Project { root: &folder.0, profile: Some("prod") }, &look_up_in_process);
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let endpoints = &reading.spec.as_ref().expect("nothing is wrong").endpoints;
    let timeouts: Vec<bool> = endpoints.iter().map(|endpoint| endpoint.value.timeout.is_some()).collect();
    assert_eq!(timeouts, [false, true]);
}

#[test]
fn a_name_twice_in_one_profile_is_an_error_and_so_is_what_only_a_profile_says_wrongly() {
    let folder = Folder::new(
        "profile-twice",
        &[
            ("compositions/a.yaml", b"backends: { a: { rest: http://a } }"),
            ("compositions/prod/a.yaml", b"backends: { b: { rest: http://b } }"),
            ("compositions/prod/b.yaml", b"backends: { b: { rest: http://b }, a: { rst: http://c } }"),
        ],
    );
    let reading = crate::spec::read(Project { root: &folder.0, profile: Some("prod") }, &look_up_in_process);
    assert_eq!(codes(&reading), ["defined-twice", "unknown-key"]);
    let names: Vec<&str> = reading.diagnostics.iter().map(|found| reading.sources.name(found.place.file)).collect();
    assert_eq!(names, ["compositions/prod/b.yaml", "compositions/prod/b.yaml"]);
}
