//! The inventory backend: `store.inventory.v1.Inventory` over gRPC.

pub(super) mod message;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::Router;
use futures_util::stream::{self, StreamExt};
use prost_types::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tonic::Status;
use tonic::server::NamedService;

use self::message::{
    Availability, BatchGetRequest, BatchGetResponse, GetRequest, Line, ReleaseRequest, ReleaseResponse, Reservation,
    ReserveRequest, Shelf, Stock, StockEvent, Supply, WatchRequest,
};
use super::grpc::{Messages, Service, Streamed};
use super::store::Store;

/// Fewer available pieces than this are called low.
const LOW: i64 = 10;
/// How many changes of stock a slow watcher may be behind before it misses some.
const UNSEEN_CHANGES: usize = 256;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// The service as routes.
pub(super) fn router(store: &Arc<Store>) -> Router {
    Service::new(Inventory::of(store.clone()))
        .unary("Get", Inventory::get)
        .unary("BatchGet", Inventory::batch_get)
        .unary("Reserve", Inventory::reserve)
        .unary("Release", Inventory::release)
        .server_streaming("Watch", Inventory::watch)
        .router()
}

/// The stock of each product: what the store has, less what clients reserved.
struct Inventory {
    store: Arc<Store>,
    shelves: Mutex<Shelves>,
    /// Tells each stock that changes.
    changes: broadcast::Sender<Stock>,
}

/// How many pieces there are of each product, and who holds some.
struct Shelves {
    counts: Vec<Count>,
    /// Open reservations by id: how many of which product.
    reservations: BTreeMap<String, BTreeMap<usize, i64>>,
    /// How many reservations there ever were.
    made: usize,
}

#[derive(Clone, Copy)]
struct Count {
    available: i64,
    reserved: i64,
}

impl NamedService for Inventory {
    const NAME: &'static str = "store.inventory.v1.Inventory";
}

impl Inventory {
    fn get(&self, request: &GetRequest) -> Result<Stock, Status> {
        let product = self.product(&request.sku)?;
        Ok(self.stock(product, &self.shelves()))
    }

    fn batch_get(&self, request: &BatchGetRequest) -> Result<BatchGetResponse, Status> {
        let shelves = self.shelves();
        let known = request.skus.iter().filter_map(|sku| Some((self.store.sku(sku)?, sku.clone())));
        Ok(BatchGetResponse { stock: known.map(|(product, sku)| (sku, self.stock(product, &shelves))).collect() })
    }

    fn reserve(&self, request: &ReserveRequest) -> Result<Reservation, Status> {
        let wanted = self.wanted(&request.lines)?;
        let mut shelves = self.shelves();
        for (product, quantity) in &wanted {
            let left = shelves.counts[*product].available;
            if left < *quantity {
                let sku = &self.store.products[*product].sku;
                return Err(Status::failed_precondition(format!("only {left} of {sku} are left")));
            }
        }
        for (product, quantity) in &wanted {
            self.take(&mut shelves, *product, *quantity);
        }
        shelves.made += 1;
        let id = format!("v{}", shelves.made);
        shelves.reservations.insert(id.clone(), wanted);
        Ok(Reservation { id, lines: request.lines.clone(), reserved_at: Some(SystemTime::now().into()) })
    }

    fn release(&self, request: &ReleaseRequest) -> Result<ReleaseResponse, Status> {
        let mut shelves = self.shelves();
        let Some(held) = shelves.reservations.remove(&request.reservation_id) else {
            return Ok(ReleaseResponse { released: false });
        };
        for (product, quantity) in held {
            self.take(&mut shelves, product, -quantity);
        }
        Ok(ReleaseResponse { released: true })
    }

    fn watch(&self, request: &WatchRequest) -> Streamed<StockEvent> {
        let product = self.product(&request.sku)?;
        // While the shelves are locked nothing changes, so no change is missed or seen twice.
        let (now, changes) = {
            let shelves = self.shelves();
            (self.stock(product, &shelves), self.changes.subscribe())
        };
        let later = stream::unfold((changes, request.sku.clone()), |(mut changes, sku)| async move {
            loop {
                match changes.recv().await {
                    Ok(stock) if stock.sku == sku => return Some((event(stock), (changes, sku))),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(Messages::of(stream::once(async { event(now) }).chain(later)))
    }

    fn of(store: Arc<Store>) -> Self {
        let counts = store.products.iter().map(|product| Count { available: product.stock, reserved: 0 }).collect();
        Self {
            shelves: Mutex::new(Shelves { counts, reservations: BTreeMap::new(), made: 0 }),
            changes: broadcast::Sender::new(UNSEEN_CHANGES),
            store,
        }
    }

    /// Moves `quantity` pieces from available to reserved, or back when it is negative, and tells the watchers.
    fn take(&self, shelves: &mut Shelves, product: usize, quantity: i64) {
        shelves.counts[product].available -= quantity;
        shelves.counts[product].reserved += quantity;
        // An error says that nobody watches.
        let _ = self.changes.send(self.stock(product, shelves));
    }

    /// How many of which product `lines` ask for.
    fn wanted(&self, lines: &[Line]) -> Result<BTreeMap<usize, i64>, Status> {
        if lines.is_empty() {
            return Err(Status::invalid_argument("there is no line"));
        }
        let mut wanted: BTreeMap<usize, i64> = BTreeMap::new();
        for line in lines {
            if line.quantity < 1 {
                return Err(Status::invalid_argument(format!("the quantity of {} must be at least 1", line.sku)));
            }
            let quantity = wanted.entry(self.product(&line.sku)?).or_default();
            *quantity = quantity.saturating_add(line.quantity);
        }
        Ok(wanted)
    }

    fn stock(&self, product: usize, shelves: &Shelves) -> Stock {
        let Count { available, reserved } = shelves.counts[product];
        let availability = match available {
            0 => Availability::OutOfStock,
            few if few < LOW => Availability::Low,
            _ => Availability::InStock,
        };
        // Some oddities that depend on the product alone: limits, discontinued things, times of delivery.
        let number = product as i64 + 1;
        let restocked_in = Duration { seconds: (1 + number % 20) * SECONDS_OF_A_DAY, nanos: 0 };
        Stock {
            sku: self.store.products[product].sku.clone(),
            available,
            reserved,
            availability: availability.into(),
            shelves: on_shelves(available),
            order_limit: (number % 9 == 0).then_some(2),
            supply: Some(if number % 17 == 0 { Supply::Discontinued(true) } else { Supply::RestockedIn(restocked_in) }),
        }
    }

    fn product(&self, sku: &str) -> Result<usize, Status> {
        self.store.sku(sku).ok_or_else(|| Status::not_found(format!("there is no product {sku}")))
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // No code panics between two changes that belong together, so a poisoned lock guards whole counts too.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A third of the pieces is far away, the rest near.
fn on_shelves(available: i64) -> Vec<Shelf> {
    let far = available / 3;
    let shelves = [("Rotterdam", available - far), ("Lyon", far)];
    shelves
        .into_iter()
        .filter(|(_, quantity)| *quantity > 0)
        .map(|(warehouse, quantity)| Shelf { warehouse: warehouse.to_owned(), quantity })
        .collect()
}

fn event(stock: Stock) -> StockEvent {
    StockEvent { stock: Some(stock), at: Some(SystemTime::now().into()) }
}
