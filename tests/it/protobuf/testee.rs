//! The program that the protobuf project's conformance runner talks to: each of its messages goes through the tables
//! that calls to gRPC backends go through.
//!
//! The runner writes a length and a `ConformanceRequest`, and reads a length and a `ConformanceResponse` (README.md
//! in `tests/protobuf/`).
//!
//! Two things that the runner asks for are no business of a gateway, and are done here: fields that nobody knows survive
//! from the wire to the wire, and members without presence that hold their default are not printed.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read as _, Write as _};

use prost::Message as _;
use selvedge::descriptor::{DescriptorPool, Kind, Library, MessageDescriptor, Sets, Texts};
use selvedge::transport::grpc::message::{MessageId, Tables, decode, encode};
use serde_json::value::RawValue;

/// Source: `conformance/conformance.proto`, of which this is what JSON and the wire need.
#[derive(prost::Message)]
struct Request {
    #[prost(oneof = "Payload", tags = "1, 2, 7, 8")]
    payload: Option<Payload>,
    #[prost(int32, tag = "3")]
    output: i32,
    #[prost(string, tag = "4")]
    message_type: String,
    #[prost(int32, tag = "5")]
    category: i32,
}

#[derive(prost::Oneof)]
enum Payload {
    #[prost(bytes, tag = "1")]
    Wire(Vec<u8>),
    #[prost(bytes, tag = "2")]
    Json(Vec<u8>),
    #[prost(bytes, tag = "7")]
    Jspb(Vec<u8>),
    #[prost(bytes, tag = "8")]
    Text(Vec<u8>),
}

#[derive(prost::Message)]
struct Response {
    #[prost(oneof = "Outcome", tags = "1, 3, 4, 5, 6")]
    outcome: Option<Outcome>,
}

#[derive(prost::Oneof)]
enum Outcome {
    #[prost(string, tag = "1")]
    ParseError(String),
    #[prost(bytes, tag = "3")]
    Wire(Vec<u8>),
    #[prost(string, tag = "4")]
    Json(String),
    #[prost(string, tag = "5")]
    Skipped(String),
    #[prost(string, tag = "6")]
    SerializeError(String),
}

const WIRE: i32 = 1;
const JSON: i32 = 2;
/// The categories of tests that concern the wire and strict JSON.
const CATEGORIES: [i32; 2] = [1, 2];

/// The argument that makes the test binary the testee; a descriptor set follows it.
pub(crate) const ARGUMENT: &str = "--protobuf-testee";

/// Answers the runner until it has no more to ask.
pub(crate) fn serve(set: &str) -> Result<(), Box<dyn Error>> {
    let testee = Testee::new(&std::fs::read(set)?)?;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut length = [0; 4];
    while input.read_exact(&mut length).is_ok() {
        let mut request = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut request)?;
        let outcome = testee.answer(Request::decode(request.as_slice())?);
        let response = Response { outcome: Some(outcome) }.encode_to_vec();
        output.write_all(&u32::try_from(response.len())?.to_le_bytes())?;
        output.write_all(&response)?;
        output.flush()?;
    }
    Ok(())
}

/// The descriptors and tables of the runner's messages.
pub(crate) struct Testee {
    pub(crate) pool: DescriptorPool,
    pub(crate) tables: Tables,
}

/// The message that a request is about.
struct Subject {
    id: MessageId,
    descriptor: MessageDescriptor,
    output: i32,
}

impl Testee {
    /// From a descriptor set.
    pub(crate) fn new(set: &[u8]) -> Result<Self, Box<dyn Error>> {
        let (texts, mut sets) = (Texts::default(), Sets::default());
        sets.add(set).map_err(|error| error.to_string())?;
        let library = Library { texts: &texts, sets: &sets };
        let pool = library.link(&[]).map_err(|mistakes| format!("{mistakes:?}"))?;
        Ok(Self { tables: Tables::build(pool.messages()), pool })
    }

    fn answer(&self, request: Request) -> Outcome {
        let found = (self.tables.message(&request.message_type), self.pool.message(&request.message_type));
        let (Some(id), Some(descriptor)) = found else {
            return Outcome::Skipped(format!("no message is called {}", request.message_type));
        };
        let subject = Subject { id, descriptor, output: request.output };
        match request.payload {
            _ if !CATEGORIES.contains(&request.category) || ![WIRE, JSON].contains(&request.output) => {}
            Some(Payload::Json(json)) => return self.of_json(&subject, &json),
            Some(Payload::Wire(wire)) => return self.of_wire(&subject, &wire),
            _ => {}
        }
        Outcome::Skipped("only the wire and JSON are spoken here".to_owned())
    }

    fn of_json(&self, subject: &Subject, json: &[u8]) -> Outcome {
        let mut wire = Vec::new();
        match encode(&self.tables, subject.id, json, &mut wire) {
            Err(error) => Outcome::ParseError(error.to_string()),
            Ok(()) if subject.output == WIRE => Outcome::Wire(wire),
            Ok(()) => self.of_wire(subject, &wire),
        }
    }

    fn of_wire(&self, subject: &Subject, wire: &[u8]) -> Outcome {
        let json = match decode(&self.tables, subject.id, wire) {
            Ok(doc) => doc.bytes().clone(),
            Err(error) if error.unprintable => return Outcome::SerializeError(error.to_string()),
            Err(error) => return Outcome::ParseError(error.to_string()),
        };
        if subject.output == JSON {
            return Outcome::Json(without_defaults(&subject.descriptor, &String::from_utf8_lossy(&json)));
        }
        let mut again = Vec::new();
        match encode(&self.tables, subject.id, &json, &mut again) {
            Ok(()) => Outcome::Wire([again, unknown(&subject.descriptor, wire)].concat()),
            Err(error) => Outcome::SerializeError(error.to_string()),
        }
    }
}

/// The fields of a message, which can be read, that its descriptor does not know; also those of messages inside it.
fn unknown(descriptor: &MessageDescriptor, wire: &[u8]) -> Vec<u8> {
    use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};
    let (mut rest, mut out) = (wire, Vec::new());
    while !rest.is_empty() {
        let record = rest;
        let Ok((number, wire_type)) = decode_key(&mut rest) else { break };
        let mut payload = rest;
        if skip_field(wire_type, number, &mut rest, DecodeContext::default()).is_err() {
            break;
        }
        let record = &record[..record.len() - rest.len()];
        match descriptor.field(number).map(|field| (field.kind(), field.is_list() || field.is_map())) {
            None if descriptor.is_message_set() && is_known_item(descriptor, record) => {}
            None => out.extend_from_slice(record),
            Some((Kind::Message(inner), false)) if wire_type == WireType::LengthDelimited => {
                let length = decode_varint(&mut payload).unwrap_or_default() as usize;
                let inside = unknown(&inner, &payload[..length]);
                if !inside.is_empty() {
                    encode_key(number, wire_type, &mut out);
                    encode_varint(inside.len() as u64, &mut out);
                    out.extend_from_slice(&inside);
                }
            }
            Some(_) => {}
        }
    }
    out
}

/// Whether an item of a MessageSet is of a type that is an extension of it.
fn is_known_item(descriptor: &MessageDescriptor, record: &[u8]) -> bool {
    use prost::encoding::{DecodeContext, decode_key, decode_varint, skip_field};
    let mut rest = &record[1..];
    while let Ok((number, wire_type)) = decode_key(&mut rest) {
        if number == 2 {
            return decode_varint(&mut rest).is_ok_and(|number| descriptor.field(number as u32).is_some());
        }
        if skip_field(wire_type, number, &mut rest, DecodeContext::default()).is_err() {
            return false;
        }
    }
    false
}

/// The same object without the members that hold the default of a field without presence.
pub(crate) fn without_defaults(descriptor: &MessageDescriptor, json: &str) -> String {
    let Ok(mut members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) else { return json.to_owned() };
    for field in descriptor.fields().filter(|field| !field.supports_presence()) {
        let is_default = |text: &str| match field.kind() {
            _ if field.is_list() => text == "[]",
            _ if field.is_map() => text == "{}",
            Kind::Enum(kind) => {
                let zero = kind.values().iter().find(|value| value.number == 0);
                text == "null" || zero.is_some_and(|zero| text == format!("\"{}\"", zero.name))
            }
            _ => matches!(text, "0" | "\"0\"" | "false" | "\"\""),
        };
        if members.get(field.json_name()).is_some_and(|value| is_default(value.get())) {
            members.remove(field.json_name());
        }
    }
    serde_json::to_string(&members).unwrap_or_else(|_| json.to_owned())
}
