//! The shop backend: customers, carts, orders, payments, shipments and the outbox over REST.

mod account;
mod checkout;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::routing::{get, post, put};
use prost_types::Timestamp;

use self::checkout::{Message, Payment, Shipment};
use super::rest::{Refusal, healthy, no_such_path};
use super::store::{Customer, Line, Order, Store, position};

/// The backend's routes.
pub(super) fn router(store: &Arc<Store>) -> Router {
    Router::new()
        .route("/customers", get(account::customers))
        .route("/customers/{id}", get(account::customer).patch(account::change_customer))
        .route("/customers/{id}/cart", get(account::cart).delete(account::empty_cart))
        .route("/customers/{id}/cart/{sku}", put(account::put_line).delete(account::remove_line))
        .route("/orders", get(checkout::orders).post(checkout::place_order))
        .route("/orders/{id}", get(checkout::order))
        .route("/payments", post(checkout::pay).get(checkout::payments))
        .route("/shipments", post(checkout::ship).get(checkout::shipments))
        .route("/outbox", post(checkout::send).get(checkout::outbox))
        .route("/healthz", get(healthy))
        .fallback(no_such_path)
        .with_state(Arc::new(Shop::of(store.clone())))
}

/// The shop: the store's products, and a ledger of everything that changes.
struct Shop {
    store: Arc<Store>,
    ledger: Mutex<Ledger>,
}

/// What changes, kept until the demo stops. Positions are ids less one, as in [`Store`].
struct Ledger {
    customers: Vec<Customer>,
    /// The lines of each customer's cart.
    carts: Vec<Vec<Line>>,
    orders: Vec<Order>,
    payments: Vec<Payment>,
    shipments: Vec<Shipment>,
    outbox: Vec<Message>,
}

impl Shop {
    fn of(store: Arc<Store>) -> Self {
        let ledger = Ledger {
            customers: store.customers.clone(),
            carts: store.carts.clone(),
            orders: store.orders.clone(),
            payments: Vec::new(),
            shipments: Vec::new(),
            outbox: Vec::new(),
        };
        Self { store, ledger: Mutex::new(ledger) }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Every change is one assignment or push, so a poisoned lock guards a whole ledger too.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// The position of a customer.
    fn customer(&self, id: &str) -> Result<usize, Refusal> {
        position(id, "c")
            .filter(|position| *position < self.customers.len())
            .ok_or_else(|| Refusal::unknown("customer", id))
    }

    /// The position of an order.
    fn order(&self, id: &str) -> Result<usize, Refusal> {
        position(id, "o").filter(|position| *position < self.orders.len()).ok_or_else(|| Refusal::unknown("order", id))
    }
}

/// The time now, in the form of RFC 3339, in whole seconds.
fn now() -> String {
    let now = Timestamp::from(SystemTime::now());
    Timestamp { nanos: 0, ..now }.to_string()
}
