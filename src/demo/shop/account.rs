//! Customers and their carts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Shop;
use crate::demo::rest::{Parameters, Refusal, Sent, items};
use crate::demo::store::{Address, Customer, Line};

/// The most pieces of one product that a cart takes.
const MOST_PIECES: i64 = 99;

/// `GET /customers?ids=c1,c2`: those, or all.
pub(super) async fn customers(State(shop): State<Arc<Shop>>, parameters: Parameters) -> Response {
    let ids = parameters.all("ids");
    let ledger = shop.ledger();
    let found: Vec<&Customer> =
        ledger.customers.iter().filter(|customer| ids.is_empty() || ids.contains(&customer.id.as_str())).collect();
    items(found)
}

/// `GET /customers/{id}`.
pub(super) async fn customer(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<Customer>, Refusal> {
    let ledger = shop.ledger();
    Ok(Json(ledger.customers[ledger.customer(&id)?].clone()))
}

/// What of a customer may be changed; what is absent or null stays.
#[derive(Deserialize)]
pub(super) struct Change {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    newsletter: Option<bool>,
    address: Option<Address>,
}

/// `PATCH /customers/{id}`.
pub(super) async fn change_customer(
    State(shop): State<Arc<Shop>>,
    Path(id): Path<String>,
    Sent(change): Sent<Change>,
) -> Result<Json<Customer>, Refusal> {
    if change.email.as_ref().is_some_and(|email| !email.contains('@')) {
        return Err(Refusal::impossible("email must hold an @"));
    }
    let mut ledger = shop.ledger();
    let position = ledger.customer(&id)?;
    let customer = &mut ledger.customers[position];
    let Change { first_name, last_name, email, newsletter, address } = change;
    customer.first_name = first_name.unwrap_or_else(|| customer.first_name.clone());
    customer.last_name = last_name.unwrap_or_else(|| customer.last_name.clone());
    customer.email = email.unwrap_or_else(|| customer.email.clone());
    customer.newsletter = newsletter.unwrap_or(customer.newsletter);
    customer.address = address.unwrap_or_else(|| customer.address.clone());
    Ok(Json(customer.clone()))
}

/// What a customer is about to buy.
#[derive(Serialize)]
pub(super) struct Cart {
    customer_id: String,
    lines: Vec<Line>,
}

/// `GET /customers/{id}/cart`.
pub(super) async fn cart(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<Cart>, Refusal> {
    let ledger = shop.ledger();
    let lines = ledger.carts[ledger.customer(&id)?].clone();
    Ok(Json(Cart { customer_id: id, lines }))
}

/// `DELETE /customers/{id}/cart`: takes everything out.
pub(super) async fn empty_cart(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let mut ledger = shop.ledger();
    let position = ledger.customer(&id)?;
    ledger.carts[position].clear();
    Ok(StatusCode::NO_CONTENT)
}

/// How many pieces a line is to have.
#[derive(Deserialize)]
pub(super) struct Pieces {
    quantity: i64,
}

/// `PUT /customers/{id}/cart/{sku}`: so many of this product, instead of any that were there. Answers the cart.
pub(super) async fn put_line(
    State(shop): State<Arc<Shop>>,
    Path((id, sku)): Path<(String, String)>,
    Sent(pieces): Sent<Pieces>,
) -> Result<Json<Cart>, Refusal> {
    let quantity = pieces.quantity;
    if !(1..=MOST_PIECES).contains(&quantity) {
        return Err(Refusal::impossible(format!("quantity must be from 1 to {MOST_PIECES}")));
    }
    if shop.store.sku(&sku).is_none() {
        return Err(Refusal::unknown("product", &sku));
    }
    let mut ledger = shop.ledger();
    let position = ledger.customer(&id)?;
    let lines = &mut ledger.carts[position];
    match lines.iter_mut().find(|line| line.sku == sku) {
        Some(line) => line.quantity = quantity,
        None => lines.push(Line { sku, quantity }),
    }
    Ok(Json(Cart { customer_id: id, lines: lines.clone() }))
}

/// `DELETE /customers/{id}/cart/{sku}`: takes one product out, if it was in.
pub(super) async fn remove_line(
    State(shop): State<Arc<Shop>>,
    Path((id, sku)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let mut ledger = shop.ledger();
    let position = ledger.customer(&id)?;
    ledger.carts[position].retain(|line| line.sku != sku);
    Ok(StatusCode::NO_CONTENT)
}
