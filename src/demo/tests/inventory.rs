//! Every rpc of the inventory backend.

use tonic::Code;

use super::client::{call, get, store, watch};
use crate::demo::inventory::message::{
    Availability, BatchGetRequest, BatchGetResponse, GetRequest, Line, ReleaseRequest, ReleaseResponse, Reservation,
    ReserveRequest, Stock, StockEvent, WatchRequest,
};
use crate::demo::{Backend, Backends};

const GET: &str = "/store.inventory.v1.Inventory/Get";
const BATCH_GET: &str = "/store.inventory.v1.Inventory/BatchGet";
const RESERVE: &str = "/store.inventory.v1.Inventory/Reserve";
const RELEASE: &str = "/store.inventory.v1.Inventory/Release";
const WATCH: &str = "/store.inventory.v1.Inventory/Watch";

async fn sku(backends: &Backends, product: &str) -> String {
    let product = get(backends, Backend::Catalog, &format!("/products/{product}")).await;
    product["sku"].as_str().expect("a sku").to_owned()
}

async fn stock(backends: &Backends, sku: &str) -> Stock {
    call(backends, GET, GetRequest { sku: sku.to_owned() }).await.expect("known")
}

async fn reserve(backends: &Backends, sku: &str, quantity: i64) -> Result<Reservation, tonic::Status> {
    call(backends, RESERVE, ReserveRequest { lines: vec![Line { sku: sku.to_owned(), quantity }] }).await
}

#[tokio::test]
async fn stock_is_told_one_by_one_and_many_at_once() {
    let backends = store().await;
    let (first, sold_out) = (sku(&backends, "p1").await, sku(&backends, "p7").await);
    let one = stock(&backends, &first).await;
    assert!(one.available > 0 && one.reserved == 0);
    assert_eq!(one.shelves.iter().map(|shelf| shelf.quantity).sum::<i64>(), one.available);
    let skus = vec![first.clone(), "none".to_owned(), sold_out.clone()];
    let many: BatchGetResponse = call(&backends, BATCH_GET, BatchGetRequest { skus }).await.expect("known");
    assert_eq!(many.stock.len(), 2);
    assert_eq!(many.stock[&first], one);
    assert_eq!((many.stock[&sold_out].available, many.stock[&sold_out].availability()), (0, Availability::OutOfStock));
}

#[tokio::test]
async fn a_reservation_takes_pieces_and_its_release_puts_them_back_once() {
    let backends = store().await;
    let sku = sku(&backends, "p1").await;
    let before = stock(&backends, &sku).await;
    let reservation = reserve(&backends, &sku, 3).await.expect("enough");
    let held = stock(&backends, &sku).await;
    assert_eq!((held.available, held.reserved), (before.available - 3, 3));
    for released in [true, false] {
        let request = ReleaseRequest { reservation_id: reservation.id.clone() };
        let reply: ReleaseResponse = call(&backends, RELEASE, request).await.expect("released");
        assert_eq!(reply.released, released);
        assert_eq!(stock(&backends, &sku).await, before);
    }
}

#[tokio::test]
async fn a_reservation_takes_all_lines_or_none() {
    let backends = store().await;
    let (sku, sold_out) = (sku(&backends, "p1").await, sku(&backends, "p7").await);
    let before = stock(&backends, &sku).await;
    let lines = vec![Line { sku: sku.clone(), quantity: 1 }, Line { sku: sold_out, quantity: 1 }];
    let refused = call::<_, Reservation>(&backends, RESERVE, ReserveRequest { lines }).await.expect_err("sold out");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let twice = Line { sku: sku.clone(), quantity: before.available };
    let lines = vec![twice.clone(), twice];
    let refused = call::<_, Reservation>(&backends, RESERVE, ReserveRequest { lines }).await.expect_err("too many");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(stock(&backends, &sku).await, before);
}

#[tokio::test]
async fn a_watcher_sees_the_stock_and_then_each_change_of_it() {
    let backends = store().await;
    let (sku, other) = (sku(&backends, "p1").await, sku(&backends, "p2").await);
    let mut events = watch::<_, StockEvent>(&backends, WATCH, WatchRequest { sku: sku.clone() }).await.expect("known");
    let mut available = async || {
        let event = events.message().await.expect("an event").expect("no end");
        event.stock.expect("a stock").available
    };
    let before = available().await;
    assert_eq!(before, stock(&backends, &sku).await.available);
    reserve(&backends, &other, 1).await.expect("enough");
    reserve(&backends, &sku, 2).await.expect("enough");
    assert_eq!(available().await, before - 2);
}

#[tokio::test]
async fn wrong_requests_get_their_status() {
    let backends = store().await;
    let sku = sku(&backends, "p1").await;
    assert_eq!(reserve(&backends, "none", 1).await.expect_err("wrong").code(), Code::NotFound);
    assert_eq!(reserve(&backends, &sku, 0).await.expect_err("wrong").code(), Code::InvalidArgument);
    let nothing = call::<_, Reservation>(&backends, RESERVE, ReserveRequest::default()).await;
    assert_eq!(nothing.expect_err("wrong").code(), Code::InvalidArgument);
    let unknown = call::<_, Stock>(&backends, GET, GetRequest { sku: "none".into() }).await;
    assert_eq!(unknown.expect_err("wrong").code(), Code::NotFound);
    let unknown = watch::<_, StockEvent>(&backends, WATCH, WatchRequest { sku: "none".into() }).await;
    assert_eq!(unknown.expect_err("wrong").code(), Code::NotFound);
}
