//! Names, imports, options, annotations, sets.

use super::{field, pool, set, texts, wrong};
use crate::descriptor::{HttpVerb, Kind, Library, Sets, Texts, bundled, raw};
use prost::Message as _;

#[test]
fn every_bundled_file_links_and_so_do_all_of_them_together() {
    let texts = Texts::default();
    let library = Library { texts: &texts, sets: &Sets::default() };
    let names: Vec<String> = bundled::names().collect();
    for name in &names {
        assert_eq!(library.link(std::slice::from_ref(name)).map(|_| ()), Ok(()), "{name}");
    }
    let pool = library.link(&names).expect("they go together");
    assert_eq!(field(&pool, "google.rpc.Status", "details").number(), 3);
    assert_eq!(field(&pool, "google.type.PostalAddress", "address_lines").number(), 9);
    assert!(names.is_sorted(), "bundled files are found by search");
}

#[test]
fn a_message_set_holds_single_messages() {
    let text = |extension: &str| {
        format!(
            "syntax = \"proto2\"; package a;
             message Set {{ option message_set_wire_format = true; extensions 4 to max; }}
             message Item {{ extend Set {{ {extension} = 100; }} optional string text = 1; }}"
        )
    };
    let linked = pool(&text("optional Item item")).expect("it links");
    let message = linked.message("a.Set").expect("it is there");
    assert!(message.is_message_set() && !linked.message("a.Item").expect("it is there").is_message_set());
    assert_eq!(message.field(100).expect("an extension").json_name(), "[a.Item.item]");
    for extension in ["optional string words", "repeated Item items"] {
        let mistakes = pool(&text(extension)).map(|_| ()).expect_err(extension);
        assert!(mistakes[0].message.contains("cannot be in a MessageSet"), "{mistakes:?}");
    }
}

#[test]
fn a_name_is_looked_for_from_the_inside_out() {
    let pool = pool(
        "syntax = \"proto3\"; package a.b;
         message X { message Y {} message Z { Y near = 1; X.Y same = 2; a.b.X whole = 3; .a.b.Out far = 4; } }
         message Out { message Y { int32 n = 1; } Y own = 1; X.Y other = 2; }",
    )
    .expect("it links");
    let of = |message: &str, name: &str| match field(&pool, message, name).kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        kind => format!("{kind:?}"),
    };
    let found = ["near", "same", "whole", "far"].map(|name| of("a.b.X.Z", name));
    assert_eq!(found, ["a.b.X.Y", "a.b.X.Y", "a.b.X", "a.b.Out"]);
    assert_eq!(["own", "other"].map(|name| of("a.b.Out", name)), ["a.b.Out.Y", "a.b.X.Y"]);
}

#[test]
fn every_mistake_is_found_at_once_with_its_place() {
    let found = wrong(
        "syntax = \"proto3\";
message M {
  reserved 7;
  int32 a = 1; int32 b = 1; string d = 19500; string e = 7;
  Missing f = 9;
  int32 some_name = 10; int32 someName = 11;
}
message M {}
enum E { FIRST = 1; }
enum F { NONE = 0; SOME = 1; SAME = 1; }
service S { rpc Get(M) returns (E); }",
    );
    let expected = [
        "M: `M` is defined twice",
        "FIRST = 1;: the first value of the enum `E` must be 0",
        "SAME = 1;: `SAME` has the number 1 of `SOME`, and no `allow_alias`",
        "Missing: there is no type `Missing`",
        "int32 b = 1;: `b` has the number 1 of `a`",
        "string d = 19500;: `d` has the number 19500, and 19000 to 19999 are no fields' to take",
        "string e = 7;: `e` has the number 7, which is reserved",
        "int32 someName = 11;: `someName` is `someName` in JSON, and so is `some_name`",
        "E: `E` is no type that can stand here",
    ];
    assert_eq!(found, expected);
}

#[test]
fn extensions_are_fields_of_what_they_extend() {
    let text = "syntax = \"proto2\"; package p;
message M { extensions 100 to 200; optional int32 a = 1; extend M { optional M inner = 101; } }
extend M { repeated string notes = 100; }";
    let pool = texts(&[("m.proto", text)]).expect("it is right");
    let message = pool.message("p.M").expect("it is there");
    let fields: Vec<_> = message.fields().map(|field| (field.number(), field.json_name().to_owned())).collect();
    assert_eq!(fields, [(1, "a".into()), (100, "[p.notes]".into()), (101, "[p.M.inner]".into())]);
    let found = wrong(
        "syntax = \"proto2\";
message M { extensions 100 to 200; optional int32 a = 1; }
extend M { optional int32 b = 1; optional int32 c = 19500; optional Missing d = 100; }
extend Missing { optional int32 e = 100; }",
    );
    let expected = [
        "1: `b` cannot have the number 1 there",
        "19500: `c` cannot have the number 19500 there",
        "Missing: there is no type `Missing`",
        "Missing: there is no type `Missing`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn imports_are_found_and_what_is_not_imported_is_not_seen() {
    let other = "syntax = \"proto3\"; package o; message Other {}";
    let middle = "syntax = \"proto3\"; import public \"other.proto\";";
    let own = |import: &str| format!("syntax = \"proto3\"; import \"{import}\"; message M {{ o.Other other = 1; }}");
    let linked = |import: &str| texts(&[("own.proto", &own(import)), ("middle.proto", middle), ("other.proto", other)]);
    assert!(linked("other.proto").is_ok() && linked("middle.proto").is_ok());
    let empty = linked("google/protobuf/empty.proto").expect_err("it does not see it");
    assert_eq!(empty[0].message, "`o.Other` is in a file that `own.proto` does not import");
    let missing = linked("othr.proto").expect_err("it is not there");
    assert_eq!(missing[0].message, "there is no file `othr.proto` to import");
    assert_eq!(missing[0].help, "did you mean `other.proto`?");
    let circle = texts(&[
        ("a.proto", "syntax = \"proto3\"; import \"b.proto\";"),
        ("b.proto", "syntax = \"proto3\"; import \"a.proto\";"),
    ]);
    assert_eq!(circle.expect_err("a circle")[0].message, "`a.proto` imports itself, through what it imports");
}

#[test]
fn options_are_known_by_their_names() {
    let found = wrong(
        "syntax = \"proto3\"; import \"google/api/field_behavior.proto\"; option jav_package = \"a\";
message M { repeated int32 a = 1 [packd = false]; repeated int32 b = 2 [packed = maybe]; }",
    );
    assert_eq!(
        found[0],
        "option jav_package = \"a\";: there is no option `jav_package`; those of one's own stand in parentheses"
    );
    assert!(found[1].ends_with("there is no option `packd`; those of one's own stand in parentheses"), "{}", found[1]);
    assert!(found[2].ends_with("the option `packed` takes another value"), "{}", found[2]);
    let found = wrong(
        "syntax = \"proto3\"; import \"google/api/field_behavior.proto\";
message M { int32 a = 1 [(google.api.field_behavior) = REQUIRED]; int32 b = 2 [(google.api.behaviour) = REQUIRED]; }",
    );
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("there is no option `(google.api.behaviour)`"), "{}", found[0]);
}

#[test]
fn annotations_are_read_in_each_of_their_forms() {
    let text = "syntax = \"proto3\"; package t; import \"google/api/annotations.proto\"; message M { string id = 1; }
service S {
  rpc Whole(M) returns (M) {
    option (google.api.http) = {
      get: \"/v1/{id=a/*}\"  // a comment of the file
      additional_bindings { post: \"/v1\" 'x' body: \"*\" response_body: \"id\" }
      additional_bindings: { custom: { kind: \"HEAD\" path: \"/v1/h\" } }
    };
  }
  rpc Parts(M) returns (M) { option (google.api.http).put = \"/p\"; option (google.api.http).body = \"id\"; }
  rpc Says(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Wrong(M) returns (M) { option (google.api.http) = { gett: \"/p\" }; }
}";
    assert_eq!(pool(text).expect_err("one is wrong")[0].message, "this is no rule of `google.api.http`");
    let pool = pool(&text.replace("gett", "delete")).expect("it links");
    let service = pool.service("t.S").expect("the service");
    let http = |name: &str| service.method(name).expect("the rpc").http().to_vec();
    let whole = http("Whole");
    assert_eq!((&whole[0].verb, &*whole[0].template), (&HttpVerb::Get, "/v1/{id=a/*}"));
    assert_eq!((&whole[1].verb, &*whole[1].template, &*whole[1].body), (&HttpVerb::Post, "/v1x", "*"));
    assert_eq!((&whole[2].verb, &*whole[2].template), (&HttpVerb::Custom("HEAD".into()), "/v1/h"));
    assert_eq!((http("Parts")[0].verb.clone(), &*http("Parts")[0].body), (HttpVerb::Put, "id"));
    let reads: Vec<bool> = service.methods().map(|method| method.only_reads()).collect();
    assert_eq!(reads, [true, false, true, false]);
}

#[test]
fn sets_are_merged_and_may_lack_what_nothing_needs() {
    let file = |name: &str, package: &str, imports: &[&str]| raw::File {
        name: name.into(),
        package: package.into(),
        syntax: "proto3".into(),
        dependency: imports.iter().map(|import| (*import).to_owned()).collect(),
        message: vec![raw::Message { name: "M".into(), ..raw::Message::default() }],
        ..raw::File::default()
    };
    let bytes = |files: Vec<raw::File>| raw::FileSet { file: files }.encode_to_vec();
    let mut sets = Sets::default();
    let shared = file("shared.proto", "s", &[]);
    sets.add(&bytes(vec![shared.clone(), file("a.proto", "a", &["validate/not-there.proto"])])).expect("the first");
    sets.add(&bytes(vec![shared, file("b.proto", "b", &[])])).expect("the second");
    let texts = Texts::new([(
        "t.proto".to_owned(),
        "syntax = \"proto3\"; import \"a.proto\"; message T { a.M m = 1; }".into(),
    )]);
    let library = Library { texts: &texts, sets: &sets };
    let pool = library.link(&["t.proto".to_owned()]).expect("they go together");
    assert!(["a.M", "b.M", "s.M", "T"].iter().all(|name| pool.message(name).is_some()));
    let error = sets.add(&bytes(vec![file("b.proto", "other", &[])])).expect_err("it differs");
    assert_eq!(error.to_string(), "`b.proto` differs from the file of this name in another set");
    assert_eq!(sets.add(b"").expect_err("it is empty").to_string(), "it holds no file");
    assert!(sets.add(b"syntax").is_err());
}

#[test]
fn maps_of_a_set_are_held_to_their_shape() {
    let entry = |key: i32| raw::Message {
        name: "Entry".into(),
        field: vec![
            raw::Field { name: "key".into(), number: 1, label: 1, kind: key, ..raw::Field::default() },
            raw::Field { name: "value".into(), number: 2, label: 1, kind: 9, ..raw::Field::default() },
        ],
        options: Some(raw::MessageOptions { map_entry: true, ..raw::MessageOptions::default() }),
        ..raw::Message::default()
    };
    let file = |key: i32, label: i32| {
        let map = raw::Field {
            name: "map".into(),
            number: 1,
            label,
            kind: 11,
            type_name: ".M.Entry".into(),
            ..raw::Field::default()
        };
        let message =
            raw::Message { name: "M".into(), field: vec![map], nested: vec![entry(key)], ..raw::Message::default() };
        raw::File { name: "m.proto".into(), syntax: "proto3".into(), message: vec![message], ..raw::File::default() }
    };
    assert!(field(&set(vec![file(9, 3)]).expect("a map"), "M", "map").is_map());
    for (key, label, message) in [
        (1, 3, "`M.Entry` is no entry of a map"),
        (12, 3, "`M.Entry` is no entry of a map"),
        (9, 1, "`map` holds one entry of a map, and a map holds any number"),
    ] {
        assert_eq!(set(vec![file(key, label)]).expect_err("no map")[0].message, message);
    }
}
