//! Orders, payments, shipments, and the outbox of messages to customers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Shop, now};
use crate::demo::rest::{Parameters, Refusal, Sent, items};
use crate::demo::store::{Address, Line, Money, Order};

/// Cards that end so are refused, so that everybody can see what a refusal does.
const REFUSED_CARDS_END: &str = "0000";
const CARRIERS: [&str; 3] = ["Swift Parcel", "Blue Van", "Postal Union"];

/// `GET /orders?customer=c1,c2`: those of these customers, newest first.
pub(super) async fn orders(State(shop): State<Arc<Shop>>, parameters: Parameters) -> Result<Response, Refusal> {
    let customers = parameters.all("customer");
    if customers.is_empty() {
        return Err(Refusal::bad("customer must name at least one customer"));
    }
    let ledger = shop.ledger();
    let mut found: Vec<&Order> =
        ledger.orders.iter().filter(|order| customers.contains(&order.customer_id.as_str())).collect();
    found.sort_by(|a, b| b.placed_at.cmp(&a.placed_at));
    Ok(items(found))
}

/// `GET /orders/{id}`.
pub(super) async fn order(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<Order>, Refusal> {
    let ledger = shop.ledger();
    Ok(Json(ledger.orders[ledger.order(&id)?].clone()))
}

/// A paid order as it comes in.
#[derive(Deserialize)]
pub(super) struct NewOrder {
    customer_id: String,
    lines: Vec<Line>,
    total: Money,
    payment_id: String,
}

/// `POST /orders`.
pub(super) async fn place_order(
    State(shop): State<Arc<Shop>>,
    Sent(new): Sent<NewOrder>,
) -> Result<(StatusCode, Json<Order>), Refusal> {
    let mut ledger = shop.ledger();
    ledger.customer(&new.customer_id)?;
    if ledger.payments.iter().all(|payment| payment.id != new.payment_id) {
        return Err(Refusal::unknown("payment", &new.payment_id));
    }
    let order = Order {
        id: format!("o{}", ledger.orders.len() + 1),
        customer_id: new.customer_id,
        status: "PAID",
        lines: new.lines,
        total: new.total,
        payment_id: Some(new.payment_id),
        placed_at: now(),
    };
    ledger.orders.push(order.clone());
    Ok((StatusCode::CREATED, Json(order)))
}

/// A payment that was taken.
#[derive(Clone, Serialize)]
pub(super) struct Payment {
    id: String,
    customer_id: String,
    /// Always `accepted`; refused ones are not kept.
    status: &'static str,
    amount: Money,
    /// The last four digits of the card.
    card: String,
    paid_at: String,
}

/// A payment as it comes in.
#[derive(Deserialize)]
pub(super) struct NewPayment {
    customer_id: String,
    amount: Money,
    card: Card,
}

#[derive(Deserialize)]
struct Card {
    number: String,
}

/// `POST /payments`: 201 and the payment, or 402 with `status: refused` and a `reason`.
pub(super) async fn pay(State(shop): State<Arc<Shop>>, Sent(new): Sent<NewPayment>) -> Result<Response, Refusal> {
    let digits: String = new.card.number.chars().filter(char::is_ascii_digit).collect();
    if !(12..=19).contains(&digits.len()) {
        return Err(Refusal::impossible("a card number has 12 to 19 digits"));
    }
    if new.amount.cents < 1 {
        return Err(Refusal::impossible("an amount must be more than nothing"));
    }
    if digits.ends_with(REFUSED_CARDS_END) {
        let refusal = json!({ "status": "refused", "reason": "The bank declined this card." });
        return Ok((StatusCode::PAYMENT_REQUIRED, Json(refusal)).into_response());
    }
    let mut ledger = shop.ledger();
    ledger.customer(&new.customer_id)?;
    let payment = Payment {
        id: format!("y{}", ledger.payments.len() + 1),
        customer_id: new.customer_id,
        status: "accepted",
        amount: new.amount,
        card: digits[digits.len() - 4..].to_owned(),
        paid_at: now(),
    };
    ledger.payments.push(payment.clone());
    Ok((StatusCode::CREATED, Json(payment)).into_response())
}

/// `GET /payments`: all that were taken since the start.
pub(super) async fn payments(State(shop): State<Arc<Shop>>) -> Response {
    items(&shop.ledger().payments)
}

/// A parcel on its way.
#[derive(Clone, Serialize)]
pub(super) struct Shipment {
    id: String,
    order_id: String,
    carrier: &'static str,
    /// How many days it takes.
    days: usize,
    address: Address,
}

/// A shipment as it comes in.
#[derive(Deserialize)]
pub(super) struct NewShipment {
    order_id: String,
    address: Address,
}

/// `POST /shipments`: sends the parcel and marks the order as shipped.
pub(super) async fn ship(
    State(shop): State<Arc<Shop>>,
    Sent(new): Sent<NewShipment>,
) -> Result<(StatusCode, Json<Shipment>), Refusal> {
    let mut ledger = shop.ledger();
    let order = ledger.order(&new.order_id)?;
    let number = ledger.shipments.len() + 1;
    let shipment = Shipment {
        id: format!("h{number}"),
        order_id: new.order_id,
        carrier: CARRIERS[number % CARRIERS.len()],
        days: 2 + number % 4,
        address: new.address,
    };
    ledger.orders[order].status = "SHIPPED";
    ledger.shipments.push(shipment.clone());
    Ok((StatusCode::CREATED, Json(shipment)))
}

/// `GET /shipments?order=o1,o2`: those of these orders, or all since the start.
pub(super) async fn shipments(State(shop): State<Arc<Shop>>, parameters: Parameters) -> Response {
    let orders = parameters.all("order");
    let ledger = shop.ledger();
    let found: Vec<&Shipment> = ledger
        .shipments
        .iter()
        .filter(|shipment| orders.is_empty() || orders.contains(&shipment.order_id.as_str()))
        .collect();
    items(found)
}

/// A message to a customer.
#[derive(Clone, Serialize)]
pub(super) struct Message {
    id: String,
    to: String,
    subject: String,
    text: String,
}

/// A message as it comes in.
#[derive(Deserialize)]
pub(super) struct NewMessage {
    to: String,
    subject: String,
    text: String,
}

/// `POST /outbox`: 202, for it is sent later.
pub(super) async fn send(State(shop): State<Arc<Shop>>, Sent(new): Sent<NewMessage>) -> (StatusCode, Json<Message>) {
    let mut ledger = shop.ledger();
    let NewMessage { to, subject, text } = new;
    let message = Message { id: format!("m{}", ledger.outbox.len() + 1), to, subject, text };
    ledger.outbox.push(message.clone());
    (StatusCode::ACCEPTED, Json(message))
}

/// `GET /outbox`: all messages since the start.
pub(super) async fn outbox(State(shop): State<Arc<Shop>>) -> Response {
    items(&shop.ledger().outbox)
}
