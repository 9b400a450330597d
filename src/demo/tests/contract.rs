//! The messages and rpcs that the backends have by hand are those of the `.proto` files.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage, Value};
use prost_types::{Duration, Timestamp};
use tonic::Code;

use super::client::{call, store};
use crate::demo::inventory::message as inventory;
use crate::demo::reviews::message as reviews;

/// Everything below `proto/`.
fn contract() -> DescriptorPool {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let files = ["store/reviews/v1/reviews.proto", "store/inventory/v1/inventory.proto"];
    let files = protox::compile(files, [folder]).expect("valid protos");
    DescriptorPool::from_file_descriptor_set(files).expect("valid descriptors")
}

/// Which fields of each message were seen to agree.
struct Seen<'a> {
    contract: &'a DescriptorPool,
    fields: BTreeSet<String>,
}

impl Seen<'_> {
    /// Reads `sample` by the descriptor of `name`. Each text in it must be the name of its own field.
    fn agree(&mut self, name: &str, sample: &impl Message) {
        let descriptor = self.contract.get_message_by_name(name).expect(name);
        let bytes = sample.encode_to_vec();
        let read = DynamicMessage::decode(descriptor, bytes.as_slice()).expect(name);
        self.look_at(&read);
        assert_eq!(read.encode_to_vec(), bytes, "{name}");
    }

    fn look_at(&mut self, message: &DynamicMessage) {
        let name = message.descriptor().full_name().to_owned();
        assert_eq!(message.unknown_fields().count(), 0, "{name} has a field that the proto does not know");
        for (field, value) in message.fields() {
            self.fields.insert(field.full_name().to_owned());
            if !name.starts_with("google.protobuf.") {
                self.look_at_value(field.name(), value);
            }
        }
    }

    fn look_at_value(&mut self, field: &str, value: &Value) {
        match value {
            Value::String(text) => assert_eq!(text, field),
            Value::Message(message) => self.look_at(message),
            Value::List(items) => items.iter().for_each(|item| self.look_at_value(field, item)),
            Value::Map(entries) => entries.values().for_each(|entry| self.look_at_value(field, entry)),
            _ => {}
        }
    }

    /// Every field of every message of the store was seen.
    fn complete(&self) {
        let ours = self.contract.all_messages().filter(|message| message.full_name().starts_with("store."));
        for message in ours.filter(|message| !message.is_map_entry()) {
            for field in message.fields() {
                assert!(self.fields.contains(field.full_name()), "{} is in no sample", field.full_name());
            }
        }
    }
}

fn time() -> Option<Timestamp> {
    Some(Timestamp { seconds: 1, nanos: 2 })
}

fn line() -> inventory::Line {
    inventory::Line { sku: "sku".into(), quantity: 1 }
}

fn stock(supply: inventory::Supply) -> inventory::Stock {
    inventory::Stock {
        sku: "sku".into(),
        available: 1,
        reserved: 2,
        availability: 3,
        shelves: vec![inventory::Shelf { warehouse: "warehouse".into(), quantity: 4 }],
        order_limit: Some(5),
        supply: Some(supply),
    }
}

fn review(source: reviews::Source) -> reviews::Review {
    reviews::Review {
        id: "id".into(),
        product_id: "product_id".into(),
        author: Some(author()),
        stars: 1,
        title: "title".into(),
        text: "text".into(),
        written_at: time(),
        reply: Some("reply".into()),
        helpful: 2,
        tags: vec!["tags".into()],
        source: Some(source),
    }
}

fn author() -> reviews::Author {
    reviews::Author { name: "name".into(), customer_id: Some("customer_id".into()) }
}

fn summary() -> reviews::RatingSummary {
    reviews::RatingSummary {
        product_id: "product_id".into(),
        count: 1,
        average: Some(2.5),
        stars: BTreeMap::from([(3, 4)]),
        newest_at: time(),
    }
}

fn agree_on_reviews(seen: &mut Seen<'_>) {
    use reviews::*;
    let bought = review(Source::Purchase(Purchase { bought_at: time() }));
    seen.agree("store.reviews.v1.Review", &bought);
    seen.agree("store.reviews.v1.Review", &review(Source::Claim("claim".into())));
    let product_id = "product_id".to_owned();
    let page_token = "page_token".to_owned();
    let list = ListRequest { product_id: product_id.clone(), page_size: 1, page_token, sort: 2, min_stars: Some(3) };
    seen.agree("store.reviews.v1.ListRequest", &list);
    let page = ListResponse { items: vec![bought], next_page_token: "next_page_token".into(), total: 1 };
    seen.agree("store.reviews.v1.ListResponse", &page);
    seen.agree("store.reviews.v1.SummaryRequest", &SummaryRequest { product_id: product_id.clone() });
    let many = BatchSummaryRequest { product_ids: vec!["product_ids".into()] };
    seen.agree("store.reviews.v1.BatchSummaryRequest", &many);
    seen.agree("store.reviews.v1.BatchSummaryResponse", &BatchSummaryResponse { items: vec![summary()] });
    let (title, text, tags) = ("title".into(), "text".into(), vec!["tags".into()]);
    let add = AddRequest { product_id, author: Some(author()), stars: 1, title, text, tags };
    seen.agree("store.reviews.v1.AddRequest", &add);
}

fn agree_on_inventory(seen: &mut Seen<'_>) {
    use inventory::*;
    let restocked = stock(Supply::RestockedIn(Duration { seconds: 1, nanos: 2 }));
    seen.agree("store.inventory.v1.Stock", &restocked);
    seen.agree("store.inventory.v1.Stock", &stock(Supply::Discontinued(true)));
    seen.agree("store.inventory.v1.GetRequest", &GetRequest { sku: "sku".into() });
    seen.agree("store.inventory.v1.BatchGetRequest", &BatchGetRequest { skus: vec!["skus".into()] });
    let many = BatchGetResponse { stock: BTreeMap::from([("a".to_owned(), restocked.clone())]) };
    seen.agree("store.inventory.v1.BatchGetResponse", &many);
    seen.agree("store.inventory.v1.ReserveRequest", &ReserveRequest { lines: vec![line()] });
    let reservation = Reservation { id: "id".into(), lines: vec![line()], reserved_at: time() };
    seen.agree("store.inventory.v1.Reservation", &reservation);
    seen.agree("store.inventory.v1.ReleaseRequest", &ReleaseRequest { reservation_id: "reservation_id".into() });
    seen.agree("store.inventory.v1.ReleaseResponse", &ReleaseResponse { released: true });
    seen.agree("store.inventory.v1.WatchRequest", &WatchRequest { sku: "sku".into() });
    seen.agree("store.inventory.v1.StockEvent", &StockEvent { stock: Some(restocked), at: time() });
}

#[test]
fn every_field_of_every_message_is_as_the_protos_say() {
    let contract = contract();
    let mut seen = Seen { contract: &contract, fields: BTreeSet::new() };
    agree_on_reviews(&mut seen);
    agree_on_inventory(&mut seen);
    seen.complete();
}

#[test]
fn every_value_of_every_enum_is_as_the_protos_say() {
    let contract = contract();
    let agree = |name: &str, spoken: &dyn Fn(i32) -> String| {
        let descriptor = contract.get_enum_by_name(name).expect("an enum");
        for value in descriptor.values() {
            let written = value.name().replace('_', "").to_lowercase();
            assert!(written.ends_with(&spoken(value.number()).to_lowercase()), "{}", value.full_name());
        }
    };
    agree("store.reviews.v1.Sort", &|number| format!("{:?}", reviews::Sort::try_from(number).expect("known")));
    agree("store.inventory.v1.Availability", &|number| {
        format!("{:?}", inventory::Availability::try_from(number).expect("known"))
    });
}

#[tokio::test]
async fn every_rpc_of_the_protos_is_served() {
    let backends = store().await;
    let mut served = 0;
    for method in contract().services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        // An empty message is refused by most, but by none because it does not exist.
        let code = call::<(), ()>(&backends, &path, ()).await.map_or_else(|status| status.code(), |()| Code::Ok);
        assert_ne!(code, Code::Unimplemented, "{path}");
        served += 1;
    }
    assert_eq!(served, 9);
}
