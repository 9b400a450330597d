//! Every rpc of the reviews backend.

use tonic::Code;

use super::client::{call, store};
use crate::demo::Backends;
use crate::demo::reviews::message::{
    AddRequest, Author, BatchSummaryRequest, BatchSummaryResponse, ListRequest, ListResponse, RatingSummary, Review,
    Sort, SummaryRequest,
};

const LIST: &str = "/store.reviews.v1.Reviews/List";
const SUMMARY: &str = "/store.reviews.v1.Reviews/Summary";
const BATCH_SUMMARY: &str = "/store.reviews.v1.Reviews/BatchSummary";
const ADD: &str = "/store.reviews.v1.Reviews/Add";

async fn list(backends: &Backends, request: ListRequest) -> ListResponse {
    call(backends, LIST, request).await.expect("a list")
}

fn of(product: &str) -> ListRequest {
    ListRequest { product_id: product.to_owned(), ..ListRequest::default() }
}

#[tokio::test]
async fn reviews_come_in_pages_newest_first() {
    let backends = store().await;
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    let total = loop {
        let page = list(&backends, ListRequest { page_size: 20, page_token, ..of("p1") }).await;
        seen.extend(page.items);
        if page.next_page_token.is_empty() {
            break page.total;
        }
        page_token = page.next_page_token;
    };
    assert_eq!(seen.len() as i64, total);
    assert!(total > 20);
    assert!(seen.iter().rev().is_sorted_by_key(|review| review.written_at.expect("a time").seconds));
    assert!(seen.iter().all(|review| review.product_id == "p1" && (1..=5).contains(&review.stars)));
}

#[tokio::test]
async fn reviews_are_sorted_and_filtered_as_asked() {
    let backends = store().await;
    let best = list(&backends, ListRequest { sort: Sort::Best.into(), page_size: 100, ..of("p1") }).await;
    assert!(best.items.iter().rev().is_sorted_by_key(|review| review.stars));
    let worst = list(&backends, ListRequest { sort: Sort::Worst.into(), page_size: 100, ..of("p1") }).await;
    assert!(worst.items.is_sorted_by_key(|review| review.stars));
    let helpful = list(&backends, ListRequest { sort: Sort::Helpful.into(), page_size: 100, ..of("p1") }).await;
    assert!(helpful.items.iter().rev().is_sorted_by_key(|review| review.helpful));
    let good = list(&backends, ListRequest { min_stars: Some(4), page_size: 100, ..of("p1") }).await;
    assert!(good.total < best.total && good.items.iter().all(|review| review.stars >= 4));
}

#[tokio::test]
async fn summaries_agree_with_the_reviews_one_by_one_and_many_at_once() {
    let backends = store().await;
    let one: RatingSummary = call(&backends, SUMMARY, SummaryRequest { product_id: "p1".into() }).await.expect("known");
    assert_eq!(one.count, list(&backends, of("p1")).await.total);
    assert_eq!(one.stars.values().sum::<i64>(), one.count);
    assert!(one.average.is_some_and(|average| (1.0..=5.0).contains(&average)));
    let product_ids = ["p11", "none", "p1"].map(str::to_owned).to_vec();
    let many: BatchSummaryResponse =
        call(&backends, BATCH_SUMMARY, BatchSummaryRequest { product_ids }).await.expect("known");
    assert_eq!(many.items.len(), 2);
    assert_eq!((many.items[0].product_id.as_str(), many.items[0].count, many.items[0].average), ("p11", 0, None));
    assert_eq!(many.items[1], one);
}

#[tokio::test]
async fn an_added_review_is_the_newest_and_counts() {
    let backends = store().await;
    let before = list(&backends, of("p11")).await;
    assert_eq!(before, ListResponse::default());
    let author = Some(Author { name: "Ada".into(), customer_id: None });
    let request =
        AddRequest { product_id: "p11".into(), author, stars: 4, title: "Good".into(), ..AddRequest::default() };
    let added: Review = call(&backends, ADD, request.clone()).await.expect("added");
    assert_eq!(added.id, "r20001");
    assert_eq!(list(&backends, of("p11")).await.items, [added]);
    let second: Review = call(&backends, ADD, request).await.expect("added");
    assert_eq!(list(&backends, of("p11")).await.items[0], second);
}

#[tokio::test]
async fn wrong_requests_get_their_status() {
    let backends = store().await;
    let code = async |request| call::<_, ListResponse>(&backends, LIST, request).await.expect_err("wrong").code();
    assert_eq!(code(of("none")).await, Code::NotFound);
    assert_eq!(code(ListRequest { page_size: 101, ..of("p1") }).await, Code::InvalidArgument);
    assert_eq!(code(ListRequest { page_token: "r0".into(), ..of("p1") }).await, Code::InvalidArgument);
    let request = AddRequest { product_id: "p1".into(), stars: 6, ..AddRequest::default() };
    assert_eq!(call::<_, Review>(&backends, ADD, request).await.expect_err("wrong").code(), Code::InvalidArgument);
    let unknown = call::<_, ListResponse>(&backends, "/store.reviews.v1.Reviews/Remove", of("p1")).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::Unimplemented);
}
