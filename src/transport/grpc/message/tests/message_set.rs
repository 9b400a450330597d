//! MessageSets: items on the wire, members by the names of extensions in JSON.

use bytes::BufMut as _;

use super::super::{Tables, decode, encode};
use crate::descriptor::{Library, Sets, Texts};

const PROTO: &str = r#"
syntax = "proto2";
package s;
message Set { option message_set_wire_format = true; extensions 4 to max; }
message Host { optional Set set = 1; }
message A { extend Set { optional A a = 100; } optional string text = 1; repeated int32 numbers = 2; }
message B { extend Set { optional B b = 5; } optional Set inside = 1; }
"#;

fn tables() -> Tables {
    let texts = Texts::new([("s.proto".to_owned(), PROTO.into())]);
    let pool = Library { texts: &texts, sets: &Sets::default() }.link(&["s.proto".to_owned()]).expect("it links");
    Tables::build(pool.messages())
}

/// The JSON of a MessageSet's wire bytes, or what is wrong with them.
fn read(wire: &[u8]) -> Result<String, String> {
    let tables = tables();
    let id = tables.message("s.Set").expect("it is there");
    let doc = decode(&tables, id, wire).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(doc.bytes()).into_owned())
}

/// An item as ordinary encoders write it.
fn item(number: u8, message: &[u8]) -> Vec<u8> {
    let mut out = vec![0x0b, 0x10, number, 0x1a, message.len() as u8];
    out.put_slice(message);
    out.push(0x0c);
    out
}

const TEXT: &[u8] = b"\x0a\x02hi";

#[test]
fn items_are_members_by_the_names_of_extensions() {
    let a = r#"{"[s.A.a]":{"text":"hi","numbers":[]}}"#;
    assert_eq!(read(&item(100, TEXT)).as_deref(), Ok(a));
    let reversed = [&[0x0b, 0x1a, 4][..], TEXT, &[0x10, 100, 0x0c]].concat();
    assert_eq!(read(&reversed).as_deref(), Ok(a), "the message before its type");
    let as_field = [&[0xa2, 0x06, 4][..], TEXT].concat();
    assert_eq!(read(&as_field).as_deref(), Ok(a), "an ordinary field");
    let twice = [item(100, b"\x10\x01"), item(5, &[]), item(100, b"\x0a\x01x\x10\x02")].concat();
    assert_eq!(read(&twice).as_deref(), Ok(r#"{"[s.B.b]":{},"[s.A.a]":{"text":"x","numbers":[1,2]}}"#), "merged");
}

#[test]
fn items_of_no_known_type_are_passed_over() {
    for wire in [item(7, TEXT), item(0, TEXT), vec![0x0b, 0x0c], vec![0x0b, 0x10, 100, 0x0c], vec![0x0b, 0x1a, 0, 0x0c]]
    {
        assert_eq!(read(&wire).as_deref(), Ok("{}"), "{wire:02x?}");
    }
    let huge = [&[0x0b, 0x10][..], &[0xff; 9], &[0x01, 0x1a, 0, 0x0c]].concat();
    assert_eq!(read(&huge).as_deref(), Ok("{}"));
}

#[test]
fn items_that_break_off_are_refused() {
    let whole = item(100, TEXT);
    for length in 1..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    assert!(read(&[0x0b, 0x10, 100, 0x1a, 200, 0x0c]).is_err());
    assert!(read(&[0x0b, 0x14]).is_err(), "the end of another group");
}

#[test]
fn members_are_written_as_items() {
    let tables = tables();
    let id = tables.message("s.Host").expect("it is there");
    let json = r#"{"set":{"[s.B.b]":{"inside":{"[s.A.a]":{"text":"hi"}}}}}"#;
    let mut wire = Vec::new();
    encode(&tables, id, json.as_bytes(), &mut wire).expect("it is a Host");
    let inside = item(100, TEXT);
    let b = [&[0x0a, inside.len() as u8][..], &inside].concat();
    let set = item(5, &b);
    assert_eq!(wire, [&[0x0a, set.len() as u8][..], &set].concat());
    let again = decode(&tables, id, &wire).expect("it can be read");
    let again = String::from_utf8_lossy(again.bytes()).into_owned();
    assert_eq!(again, r#"{"set":{"[s.B.b]":{"inside":{"[s.A.a]":{"text":"hi","numbers":[]}}}}}"#);
}
