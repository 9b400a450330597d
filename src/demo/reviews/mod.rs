//! The reviews backend: `store.reviews.v1.Reviews` over gRPC.

pub(super) mod message;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use axum::Router;
use prost_types::Timestamp;
use tonic::Status;
use tonic::server::NamedService;

use self::message::{
    AddRequest, Author, BatchSummaryRequest, BatchSummaryResponse, ListRequest, ListResponse, Purchase, RatingSummary,
    Review, Sort, Source, SummaryRequest,
};
use super::grpc::Service;
use super::store::{Opinion, Store};

const DEFAULT_PAGE: i32 = 10;
const LARGEST_PAGE: i32 = 100;
/// How long before its review a product was bought, in seconds: three weeks.
const TRIED_FOR: i64 = 21 * 86_400;

/// The service as routes.
pub(super) fn router(store: &Arc<Store>) -> Router {
    Service::new(Reviews::of(store.clone()))
        .unary("List", Reviews::list)
        .unary("Summary", Reviews::summary)
        .unary("BatchSummary", Reviews::batch_summary)
        .unary("Add", Reviews::add)
        .router()
}

/// The reviews of each product, newest first, those of the store and those that clients added.
struct Reviews {
    store: Arc<Store>,
    by_product: RwLock<Vec<Vec<Review>>>,
}

impl NamedService for Reviews {
    const NAME: &'static str = "store.reviews.v1.Reviews";
}

impl Reviews {
    fn list(&self, request: &ListRequest) -> Result<ListResponse, Status> {
        let product = self.product(&request.product_id)?;
        let size = match request.page_size {
            0 => DEFAULT_PAGE,
            size @ 1..=LARGEST_PAGE => size,
            _ => return Err(Status::invalid_argument("page_size must be from 0 to 100")),
        };
        let by_product = self.read();
        let least = request.min_stars.unwrap_or(0);
        let mut reviews: Vec<&Review> = by_product[product].iter().filter(|review| review.stars >= least).collect();
        match request.sort() {
            Sort::Unspecified | Sort::Newest => {}
            Sort::Best => reviews.sort_by_key(|review| -review.stars),
            Sort::Worst => reviews.sort_by_key(|review| review.stars),
            Sort::Helpful => reviews.sort_by_key(|review| -review.helpful),
        }
        // The token is the id of the last review that was seen, so a new review does not shift the pages.
        let start = match request.page_token.as_str() {
            "" => 0,
            token => reviews
                .iter()
                .position(|review| review.id == token)
                .map(|last| last + 1)
                .ok_or_else(|| Status::invalid_argument("page_token is of another list"))?,
        };
        let end = reviews.len().min(start + size as usize);
        let next = if end < reviews.len() { reviews[end - 1].id.clone() } else { String::new() };
        let items = reviews[start..end].iter().map(|review| (*review).clone()).collect();
        Ok(ListResponse { items, next_page_token: next, total: reviews.len() as i64 })
    }

    fn summary(&self, request: &SummaryRequest) -> Result<RatingSummary, Status> {
        let product = self.product(&request.product_id)?;
        Ok(summary(&request.product_id, &self.read()[product]))
    }

    fn batch_summary(&self, request: &BatchSummaryRequest) -> Result<BatchSummaryResponse, Status> {
        let by_product = self.read();
        let known = request.product_ids.iter().filter_map(|id| Some((self.store.product(id)?, id)));
        Ok(BatchSummaryResponse { items: known.map(|(product, id)| summary(id, &by_product[product])).collect() })
    }

    fn add(&self, request: &AddRequest) -> Result<Review, Status> {
        let product = self.product(&request.product_id)?;
        if !(1..=5).contains(&request.stars) {
            return Err(Status::invalid_argument("stars must be from 1 to 5"));
        }
        let mut by_product = self.by_product.write().unwrap_or_else(PoisonError::into_inner);
        let review = Review {
            id: format!("r{}", by_product.iter().map(Vec::len).sum::<usize>() + 1),
            product_id: request.product_id.clone(),
            author: request.author.clone(),
            stars: request.stars,
            title: request.title.clone(),
            text: request.text.clone(),
            written_at: Some(SystemTime::now().into()),
            reply: None,
            helpful: 0,
            tags: request.tags.clone(),
            source: Some(Source::Claim("written through the demo".to_owned())),
        };
        by_product[product].insert(0, review.clone());
        Ok(review)
    }

    fn of(store: Arc<Store>) -> Self {
        let by_product = store.opinions.iter().zip(&store.products);
        let by_product = by_product
            .map(|(opinions, product)| opinions.iter().map(|opinion| review(&store, &product.id, opinion)).collect())
            .collect();
        Self { by_product: RwLock::new(by_product), store }
    }

    fn product(&self, id: &str) -> Result<usize, Status> {
        self.store.product(id).ok_or_else(|| Status::not_found(format!("there is no product {id}")))
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Vec<Review>>> {
        // No code panics while it holds the lock, and a half-added review cannot be seen.
        self.by_product.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(product_id: &str, reviews: &[Review]) -> RatingSummary {
    let mut stars: BTreeMap<i32, i64> = (1..=5).map(|stars| (stars, 0)).collect();
    for review in reviews {
        *stars.entry(review.stars).or_default() += 1;
    }
    let sum: i64 = stars.iter().map(|(stars, count)| i64::from(*stars) * count).sum();
    let count = reviews.len() as i64;
    RatingSummary {
        product_id: product_id.to_owned(),
        count,
        average: (count > 0).then(|| (sum as f64 / count as f64 * 100.0).round() / 100.0),
        stars,
        newest_at: reviews.first().and_then(|review| review.written_at),
    }
}

fn review(store: &Store, product_id: &str, opinion: &Opinion) -> Review {
    let customer = &store.customers[opinion.customer];
    let bought_at = Timestamp { seconds: opinion.written_at - TRIED_FOR, nanos: 0 };
    Review {
        id: opinion.id.clone(),
        product_id: product_id.to_owned(),
        author: Some(Author { name: customer.first_name.clone(), customer_id: Some(customer.id.clone()) }),
        stars: opinion.stars,
        title: opinion.title.to_owned(),
        text: opinion.text.clone(),
        written_at: Some(Timestamp { seconds: opinion.written_at, nanos: 0 }),
        reply: opinion.reply.map(str::to_owned),
        helpful: opinion.helpful,
        tags: if opinion.bought { vec!["bought here".to_owned()] } else { Vec::new() },
        source: Some(match opinion.bought {
            true => Source::Purchase(Purchase { bought_at: Some(bought_at) }),
            false => Source::Claim("got it as a present".to_owned()),
        }),
    }
}
