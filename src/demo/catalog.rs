//! The catalog backend: products, sellers, categories, prices, search and images over REST.
//!
//! Lists answer `{"items": […]}`; lookups of many take repeated keys (`?sku=a&sku=b`), commas
//! (`?ids=1,2`), or both. Unknown keys are left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::rest::{Parameters, Refusal, healthy, items, no_such_path};
use super::store::{Category, Product, Seller, Store};

/// The backend's routes.
pub(super) fn router(store: Arc<Store>) -> Router {
    Router::new()
        .route("/products", get(products))
        .route("/products/{id}", get(product))
        .route("/products/{id}/related", get(related))
        .route("/sellers", get(sellers))
        .route("/sellers/{id}", get(seller))
        .route("/categories", get(categories))
        .route("/categories/{id}", get(category))
        .route("/prices", get(prices))
        .route("/search", get(search))
        .route("/images/{*path}", get(image))
        .route("/healthz", get(healthy))
        .fallback(no_such_path)
        .with_state(store)
}

/// `GET /products`: of `ids`, `sku`, `seller` and `category` (each may name many) those that fit all,
/// `sort`ed, at most `limit`, beginning behind the product `after`.
async fn products(State(store): State<Arc<Store>>, parameters: Parameters) -> Result<Response, Refusal> {
    let order = parameters.choice("sort", SORTS)?;
    let (ids, skus) = (parameters.all("ids"), parameters.all("sku"));
    let (sellers, categories) = (parameters.all("seller"), parameters.all("category"));
    // Lookups answer all they were asked for; a listing without a limit answers a page.
    let lookup = !(ids.is_empty() && skus.is_empty() && sellers.is_empty());
    let limit = if lookup && parameters.one("limit").is_none() { Store::PRODUCTS } else { parameters.limit(20)? };
    let mut found: Vec<&Product> = store.products.iter().collect();
    found.retain(|product| ids.is_empty() || ids.contains(&product.id.as_str()));
    found.retain(|product| skus.is_empty() || skus.contains(&product.sku.as_str()));
    found.retain(|product| sellers.is_empty() || product.seller_id.as_deref().is_some_and(|id| sellers.contains(&id)));
    found.retain(|product| categories.is_empty() || categories.iter().any(|id| within(&store, product, id)));
    found.sort_by(|a, b| order(a, b));
    let start = match parameters.one("after") {
        None => 0,
        Some(id) => match found.iter().position(|product| product.id == id) {
            Some(last) => last + 1,
            None => return Err(Refusal::bad("after must be the id of a product of this list")),
        },
    };
    let page = &found[start..found.len().min(start + limit)];
    let next = if start + page.len() < found.len() { page.last().map(|product| product.id.as_str()) } else { None };
    Ok(Json(Page { items: page, total: found.len(), next }).into_response())
}

/// A part of a list of products.
#[derive(Serialize)]
struct Page<'a> {
    items: &'a [&'a Product],
    /// How many there are on all pages.
    total: usize,
    /// What to send as `after` for the next page; null on the last.
    next: Option<&'a str>,
}

type Order = fn(&Product, &Product) -> std::cmp::Ordering;

/// The ways to sort products, by the name that `sort` takes; all keep the order of ids among equals.
const SORTS: &[(&str, Order)] = &[
    ("featured", |_, _| std::cmp::Ordering::Equal),
    ("newest", |a, b| b.added_at.cmp(&a.added_at)),
    ("cheapest", |a, b| a.price_cents.cmp(&b.price_cents)),
    ("name", |a, b| a.name.cmp(&b.name)),
];

async fn product(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let product = store.product(&id).ok_or_else(|| Refusal::unknown("product", &id))?;
    Ok(Json(&store.products[product]).into_response())
}

/// `GET /products/{id}/related`: others of the same category, those of the same seller first.
async fn related(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    let limit = parameters.limit(4)?;
    let product = &store.products[store.product(&id).ok_or_else(|| Refusal::unknown("product", &id))?];
    let mut others: Vec<&Product> = store.products.iter().filter(|other| other.id != product.id).collect();
    others.retain(|other| other.category_id == product.category_id);
    others.sort_by_key(|other| other.seller_id != product.seller_id);
    others.truncate(limit);
    Ok(items(others))
}

async fn sellers(State(store): State<Arc<Store>>, parameters: Parameters) -> Response {
    let ids = parameters.all("ids");
    let found: Vec<&Seller> =
        store.sellers.iter().filter(|seller| ids.is_empty() || ids.contains(&seller.id.as_str())).collect();
    items(found)
}

async fn seller(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let seller = store.seller(&id).ok_or_else(|| Refusal::unknown("seller", &id))?;
    Ok(Json(seller).into_response())
}

async fn categories(State(store): State<Arc<Store>>, parameters: Parameters) -> Response {
    let (ids, parents) = (parameters.all("ids"), parameters.all("parent"));
    let mut found: Vec<&Category> = store.categories.iter().collect();
    found.retain(|category| ids.is_empty() || ids.contains(&category.id));
    found.retain(|category| parents.is_empty() || category.parent_id.is_some_and(|id| parents.contains(&id)));
    items(found)
}

async fn category(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let category = store.category(&id).ok_or_else(|| Refusal::unknown("category", &id))?;
    Ok(Json(category).into_response())
}

/// What a product costs today.
#[derive(Serialize)]
struct Price {
    cents: i64,
    currency: &'static str,
    /// What it cost before it was reduced.
    was_cents: Option<i64>,
}

/// `GET /prices?sku=a&sku=b`: an object by SKU, in `currency`.
async fn prices(State(store): State<Arc<Store>>, parameters: Parameters) -> Result<Response, Refusal> {
    // So many hundredths of each currency are one euro.
    let (currency, rate) =
        parameters.choice("currency", &[("EUR", ("EUR", 100)), ("USD", ("USD", 108)), ("GBP", ("GBP", 86))])?;
    let price = |position: usize| {
        let list = store.products[position].price_cents * rate / 100;
        match (position + 1).is_multiple_of(Store::REDUCED) {
            true => Price { cents: list * 4 / 5, currency, was_cents: Some(list) },
            false => Price { cents: list, currency, was_cents: None },
        }
    };
    let skus = parameters.all("sku");
    let found = skus.into_iter().filter_map(|sku| Some((sku, price(store.sku(sku)?))));
    Ok(Json(found.collect::<BTreeMap<&str, Price>>()).into_response())
}

/// A product or a seller that a search found; `kind` says which.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Hit<'a> {
    Product(&'a Product),
    Seller(&'a Seller),
}

/// What a search found.
#[derive(Serialize)]
struct Hits<'a> {
    items: Vec<Hit<'a>>,
    /// How many there are without the limit.
    total: usize,
}

/// `GET /search?q=`: sellers whose name, then products whose name or description holds every word of `q`.
async fn search(State(store): State<Arc<Store>>, parameters: Parameters) -> Result<Response, Refusal> {
    let words = parameters.one("q").ok_or_else(|| Refusal::bad("q must say what to search for"))?.to_lowercase();
    let limit = parameters.limit(10)?;
    let fits = |text: &str| {
        let text = text.to_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
    };
    let sellers = store.sellers.iter().filter(|seller| fits(&seller.name)).map(Hit::Seller);
    let products = store.products.iter();
    let products = products.filter(|product| fits(&format!("{} {}", product.name, product.description)));
    let mut hits: Vec<Hit<'_>> = sellers.chain(products.map(Hit::Product)).collect();
    let total = hits.len();
    hits.truncate(limit);
    Ok(Json(Hits { items: hits, total }).into_response())
}

/// `GET /images/p1.svg`: a picture of a product, as far as a computer can paint one.
async fn image(State(store): State<Arc<Store>>, Path(path): Path<String>) -> Result<Response, Refusal> {
    let id = path.rsplit('/').next().and_then(|name| name.strip_suffix(".svg")).unwrap_or(&path);
    let position = store.product(id).ok_or_else(|| Refusal::unknown("image", &path))?;
    let (product, hue) = (&store.products[position], position * 37 % 360);
    let initials: String = product.name.split(' ').filter_map(|word| word.chars().next()).collect();
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 160" role="img"><title>{name}</title><rect width="240" height="160" fill="hsl({hue} 45% 82%)"/><circle cx="120" cy="80" r="52" fill="hsl({hue} 45% 62%)"/><text x="120" y="92" font-family="sans-serif" font-size="36" text-anchor="middle" fill="#fff">{initials}</text></svg>"##,
        name = product.name
    );
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=3600")], svg)
        .into_response())
}

/// Whether `product` is in the category `id` or in one below it.
fn within(store: &Store, product: &Product, id: &str) -> bool {
    let parent = || store.category(product.category_id).and_then(|category| category.parent_id);
    product.category_id == id || parent() == Some(id)
}
