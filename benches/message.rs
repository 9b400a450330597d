//! JSON ⇄ protobuf: an order of about 900 bytes of JSON and a list of 100, through our tables and through
//! prost-reflect's dynamic message.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use selvedge::descriptor::{DescriptorPool as OwnPool, Library, Sets, Texts};
use selvedge::transport::grpc::message::{Tables, decode, encode};

const ORDER: &str = include_str!("load/order.json");
const ORDERS: &str = include_str!("load/project/proto/orders.proto");
const PROTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/project/proto");

fn main() {
    let files = protox::compile(["orders.proto"], [PROTOS]).expect("the proto compiles");
    let pool = DescriptorPool::from_file_descriptor_set(files).expect("the compiler gives a whole set");
    let texts = Texts::new([("orders.proto".to_owned(), ORDERS.into())]);
    let library = Library { texts: &texts, sets: &Sets::default() };
    let own = library.link(&["orders.proto".to_owned()]).expect("the proto links");
    let own_order = own.message("load.v1.Order").expect("it is in the proto");
    let mut criterion = Criterion::default().configure_from_args();
    let order = pool.get_message_by_name("load.v1.Order").expect("it is in the proto");
    compare(&mut criterion, (&own, &order), ORDER);
    let list = pool.get_message_by_name("load.v1.OrderList").expect("it is in the proto");
    compare(&mut criterion, (&own, &list), &format!("{{\"orders\":[{}]}}", vec![ORDER; 100].join(",")));
    criterion.bench_function("building the tables of an order's schema", |bencher| {
        bencher.iter(|| Tables::build([black_box(&own_order).clone()]));
    });
    criterion.final_summary();
}

fn compare(criterion: &mut Criterion, (own, descriptor): (&OwnPool, &MessageDescriptor), json: &str) {
    let tables = Tables::build(own.message(descriptor.full_name()));
    let id = tables.message(descriptor.full_name()).expect("its tables were built");
    let mut wire = Vec::new();
    encode(&tables, id, json.as_bytes(), &mut wire).expect("the JSON fits");
    assert_eq!(decode(&tables, id, &wire).expect("the wire fits").bytes(), json);
    let sizes = (wire.len(), json.len());

    let mut group =
        criterion.benchmark_group(format!("{} of {} B to {} B of JSON", descriptor.name(), sizes.0, sizes.1));
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("tables", |bencher| bencher.iter(|| decode(&tables, id, black_box(&wire)).expect("it fits")));
    group.bench_function("dynamic message", |bencher| {
        bencher.iter(|| {
            let message = DynamicMessage::decode(descriptor.clone(), black_box(&wire[..])).expect("it fits");
            serde_json::to_vec(&message).expect("it is JSON")
        });
    });
    group.finish();

    let mut group =
        criterion.benchmark_group(format!("{} B of JSON to {} of {} B", sizes.1, descriptor.name(), sizes.0));
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("tables", |bencher| {
        bencher.iter(|| {
            let mut out = Vec::new();
            encode(&tables, id, black_box(json.as_bytes()), &mut out).expect("it fits");
            out
        });
    });
    group.bench_function("dynamic message", |bencher| {
        bencher.iter(|| {
            let mut deserializer = serde_json::Deserializer::from_slice(black_box(json.as_bytes()));
            DynamicMessage::deserialize(descriptor.clone(), &mut deserializer).expect("it fits").encode_to_vec()
        });
    });
    group.finish();
}
