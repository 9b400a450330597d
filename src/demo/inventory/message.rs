//! The messages of `proto/store/inventory/v1/inventory.proto`. A test proves that both agree.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};
use prost_types::{Duration, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(in crate::demo) enum Availability {
    Unspecified = 0,
    InStock = 1,
    Low = 2,
    OutOfStock = 3,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Stock {
    #[prost(string, tag = "1")]
    pub(in crate::demo) sku: String,
    #[prost(int64, tag = "2")]
    pub(in crate::demo) available: i64,
    #[prost(int64, tag = "3")]
    pub(in crate::demo) reserved: i64,
    #[prost(enumeration = "Availability", tag = "4")]
    pub(in crate::demo) availability: i32,
    #[prost(message, repeated, tag = "5")]
    pub(in crate::demo) shelves: Vec<Shelf>,
    /// A google.protobuf.Int32Value.
    #[prost(message, optional, tag = "6")]
    pub(in crate::demo) order_limit: Option<i32>,
    #[prost(oneof = "Supply", tags = "7, 8")]
    pub(in crate::demo) supply: Option<Supply>,
}

/// Stock.Shelf.
#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Shelf {
    #[prost(string, tag = "1")]
    pub(in crate::demo) warehouse: String,
    #[prost(int64, tag = "2")]
    pub(in crate::demo) quantity: i64,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::demo) enum Supply {
    #[prost(message, tag = "7")]
    RestockedIn(Duration),
    #[prost(bool, tag = "8")]
    Discontinued(bool),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Line {
    #[prost(string, tag = "1")]
    pub(in crate::demo) sku: String,
    #[prost(int64, tag = "2")]
    pub(in crate::demo) quantity: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct GetRequest {
    #[prost(string, tag = "1")]
    pub(in crate::demo) sku: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct BatchGetRequest {
    #[prost(string, repeated, tag = "1")]
    pub(in crate::demo) skus: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct BatchGetResponse {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(in crate::demo) stock: BTreeMap<String, Stock>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct ReserveRequest {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::demo) lines: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Reservation {
    #[prost(string, tag = "1")]
    pub(in crate::demo) id: String,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::demo) lines: Vec<Line>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::demo) reserved_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct ReleaseRequest {
    #[prost(string, tag = "1")]
    pub(in crate::demo) reservation_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct ReleaseResponse {
    #[prost(bool, tag = "1")]
    pub(in crate::demo) released: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct WatchRequest {
    #[prost(string, tag = "1")]
    pub(in crate::demo) sku: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct StockEvent {
    #[prost(message, optional, tag = "1")]
    pub(in crate::demo) stock: Option<Stock>,
    #[prost(message, optional, tag = "2")]
    pub(in crate::demo) at: Option<Timestamp>,
}
