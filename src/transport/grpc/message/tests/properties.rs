//! Against prost-reflect, which does the same through a tree of values. `CASES=1000000` plays so
//! many instead of the usual number.

use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, SerializeOptions};

use super::random::Random;
use super::{TABLES, descriptor, encode, id, json};

/// Cases unless `CASES` says otherwise.
const CASES: u32 = 300;

const MESSAGES: &[&str] = &["rich.Rich", "rich.WellKnown", "rich.Maps", "rich.Lists", "rich.Scattered", "old.Old"];

/// As many cases as asked for, of which some may be thrown away whatever their number.
fn config() -> ProptestConfig {
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    ProptestConfig { cases, max_global_rejects: cases.max(1024), ..ProptestConfig::default() }
}

/// JSON as prost-reflect writes it, defaults of fields without presence included; `None` for a
/// message without a JSON form.
fn reference(message: &DynamicMessage) -> Option<serde_json::Value> {
    let mut text = Vec::new();
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Whether two numbers are the same, or are texts of the same float: of two shortest texts that lie
/// as far from it, either will do.
fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    let digits = |number: &serde_json::Number| number.to_string().bytes().filter(u8::is_ascii_digit).count();
    let (a_double, b_double) = (a.as_f64().expect("a double"), b.as_f64().expect("a double"));
    a_double == b_double || (digits(a) < 10 && a_double as f32 == b_double as f32)
}

/// Equal but for how numbers are written: `1.0` and `1`.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => same_number(a, b),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        (a, b) => a == b,
    }
}

fn assert_reads_as_reference(name: &str, wire: &[u8]) -> Result<(), TestCaseError> {
    let message = DynamicMessage::decode(descriptor(name), wire).expect("valid");
    let Some(expected) = reference(&message) else {
        return Err(TestCaseError::reject("merged into an Any whose type and contents differ"));
    };
    let text = json(name, wire).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let ours = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert!(same(&ours, &expected), "\nours {}\nreference {}", ours, expected);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn wire_reads_as_prost_reflect_reads_it(seed: u64, name in prop::sample::select(MESSAGES)) {
        let message = Random(seed).message(&descriptor(name), 4);
        assert_reads_as_reference(name, &message.encode_to_vec())?;
    }

    #[test]
    fn records_in_any_order_and_merged_read_as_prost_reflect_reads_them(
        seed: u64, name in prop::sample::select(MESSAGES), copies in 1..4usize,
    ) {
        let mut random = Random(seed);
        let wire: Vec<u8> = (0..copies).flat_map(|_| random.message(&descriptor(name), 3).encode_to_vec()).collect();
        let shuffled = random.shuffled(&descriptor(name), &wire);
        // Two Durations may merge into one whose seconds and nanoseconds differ in sign.
        prop_assume!(json(name, &shuffled).map_or_else(|error| error.reason != "Duration out of range", |_| true));
        assert_reads_as_reference(name, &shuffled)?;
    }

    #[test]
    fn json_is_written_as_the_message_that_prost_reflect_reads_from_it(
        seed: u64, name in prop::sample::select(MESSAGES), defaults: bool, pretty: bool,
    ) {
        let message = Random(seed).message(&descriptor(name), 4);
        // Through the wire, so that what the wire does not carry is not expected.
        let message = DynamicMessage::decode(descriptor(name), &message.encode_to_vec()[..]).expect("valid");
        let options = SerializeOptions::new().skip_default_fields(!defaults);
        let mut text = Vec::new();
        if pretty {
            message.serialize_with_options(&mut serde_json::Serializer::pretty(&mut text), &options).expect("JSON");
        } else {
            message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).expect("JSON");
        }
        let wire = encode(name, std::str::from_utf8(&text).expect("UTF-8"))
            .map_err(|wrong| TestCaseError::fail(format!("{wrong:?}: {}", String::from_utf8_lossy(&text))))?;
        let read = DynamicMessage::decode(descriptor(name), &wire[..]).expect("valid");
        prop_assert_eq!(reference(&read), reference(&message));
    }

    #[test]
    fn what_is_read_is_written_back_the_same(seed: u64, name in prop::sample::select(MESSAGES)) {
        let wire = Random(seed).message(&descriptor(name), 4).encode_to_vec();
        let text = json(name, &wire).expect("valid");
        let again = json(name, &encode(name, &text).expect("our own JSON")).expect("our own wire");
        prop_assert_eq!(again, text);
    }

    #[test]
    fn no_bytes_make_reading_the_wire_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), name in prop::sample::select(MESSAGES)) {
        let _ = json(name, &bytes);
    }

    #[test]
    fn no_damage_makes_reading_the_wire_panic(seed: u64, name in prop::sample::select(MESSAGES), at: prop::sample::Index, byte: u8, cut: bool) {
        let mut wire = Random(seed).message(&descriptor(name), 3).encode_to_vec();
        if !wire.is_empty() {
            let at = at.index(wire.len());
            wire[at] = byte;
            wire.truncate(if cut { at + 1 } else { wire.len() });
        }
        if let Ok(text) = json(name, &wire) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn no_damage_makes_reading_json_panic_and_no_wrong_json_is_taken(
        seed: u64, name in prop::sample::select(MESSAGES), at: prop::sample::Index, byte: u8,
    ) {
        let wire = Random(seed).message(&descriptor(name), 2).encode_to_vec();
        let mut text = json(name, &wire).expect("valid").into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        let mut out = b"kept".to_vec();
        match super::super::encode(&TABLES, id(name), &text, &mut out) {
            Ok(()) => {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
                prop_assert!(json(name, &out[4..]).is_ok());
            }
            Err(_) => prop_assert_eq!(out, b"kept"),
        }
    }
}
