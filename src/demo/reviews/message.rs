//! The messages of `proto/store/reviews/v1/reviews.proto`. A test proves that both agree.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};
use prost_types::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(in crate::demo) enum Sort {
    Unspecified = 0,
    Newest = 1,
    Best = 2,
    Worst = 3,
    Helpful = 4,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Review {
    #[prost(string, tag = "1")]
    pub(in crate::demo) id: String,
    #[prost(string, tag = "2")]
    pub(in crate::demo) product_id: String,
    #[prost(message, optional, tag = "3")]
    pub(in crate::demo) author: Option<Author>,
    #[prost(int32, tag = "4")]
    pub(in crate::demo) stars: i32,
    #[prost(string, tag = "5")]
    pub(in crate::demo) title: String,
    #[prost(string, tag = "6")]
    pub(in crate::demo) text: String,
    #[prost(message, optional, tag = "7")]
    pub(in crate::demo) written_at: Option<Timestamp>,
    #[prost(string, optional, tag = "8")]
    pub(in crate::demo) reply: Option<String>,
    #[prost(int64, tag = "9")]
    pub(in crate::demo) helpful: i64,
    #[prost(string, repeated, tag = "10")]
    pub(in crate::demo) tags: Vec<String>,
    #[prost(oneof = "Source", tags = "11, 12")]
    pub(in crate::demo) source: Option<Source>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(in crate::demo) enum Source {
    #[prost(message, tag = "11")]
    Purchase(Purchase),
    #[prost(string, tag = "12")]
    Claim(String),
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Author {
    #[prost(string, tag = "1")]
    pub(in crate::demo) name: String,
    #[prost(string, optional, tag = "2")]
    pub(in crate::demo) customer_id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct Purchase {
    #[prost(message, optional, tag = "1")]
    pub(in crate::demo) bought_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct ListRequest {
    #[prost(string, tag = "1")]
    pub(in crate::demo) product_id: String,
    #[prost(int32, tag = "2")]
    pub(in crate::demo) page_size: i32,
    #[prost(string, tag = "3")]
    pub(in crate::demo) page_token: String,
    #[prost(enumeration = "Sort", tag = "4")]
    pub(in crate::demo) sort: i32,
    #[prost(int32, optional, tag = "5")]
    pub(in crate::demo) min_stars: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct ListResponse {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::demo) items: Vec<Review>,
    #[prost(string, tag = "2")]
    pub(in crate::demo) next_page_token: String,
    #[prost(int64, tag = "3")]
    pub(in crate::demo) total: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct SummaryRequest {
    #[prost(string, tag = "1")]
    pub(in crate::demo) product_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct RatingSummary {
    #[prost(string, tag = "1")]
    pub(in crate::demo) product_id: String,
    #[prost(int64, tag = "2")]
    pub(in crate::demo) count: i64,
    /// A google.protobuf.DoubleValue.
    #[prost(message, optional, tag = "3")]
    pub(in crate::demo) average: Option<f64>,
    #[prost(btree_map = "int32, int64", tag = "4")]
    pub(in crate::demo) stars: BTreeMap<i32, i64>,
    #[prost(message, optional, tag = "5")]
    pub(in crate::demo) newest_at: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct BatchSummaryRequest {
    #[prost(string, repeated, tag = "1")]
    pub(in crate::demo) product_ids: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct BatchSummaryResponse {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::demo) items: Vec<RatingSummary>,
}

#[derive(Clone, PartialEq, Message)]
pub(in crate::demo) struct AddRequest {
    #[prost(string, tag = "1")]
    pub(in crate::demo) product_id: String,
    #[prost(message, optional, tag = "2")]
    pub(in crate::demo) author: Option<Author>,
    #[prost(int32, tag = "3")]
    pub(in crate::demo) stars: i32,
    #[prost(string, tag = "4")]
    pub(in crate::demo) title: String,
    #[prost(string, tag = "5")]
    pub(in crate::demo) text: String,
    #[prost(string, repeated, tag = "6")]
    pub(in crate::demo) tags: Vec<String>,
}
