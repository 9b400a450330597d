//! Who buys: customers, what lies in their carts, what they ordered.

use serde::{Deserialize, Serialize};

use super::goods::Product;
use super::random::Random;
use super::words::{CITIES, FIRST_NAMES, LAST_NAMES, STREETS};
use super::{Store, day};

/// Who buys.
#[derive(Clone, Debug, Serialize)]
pub(in crate::demo) struct Customer {
    /// `c1` to `c200`.
    pub(in crate::demo) id: String,
    pub(in crate::demo) first_name: String,
    pub(in crate::demo) last_name: String,
    pub(in crate::demo) email: String,
    /// `STANDARD`, `PLUS` or `GOLD`.
    pub(in crate::demo) tier: &'static str,
    pub(in crate::demo) newsletter: bool,
    pub(in crate::demo) address: Address,
    /// An RFC 3339 time.
    pub(in crate::demo) joined_at: String,
}

/// Where parcels go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::demo) struct Address {
    pub(in crate::demo) street: String,
    pub(in crate::demo) city: String,
    pub(in crate::demo) postcode: String,
    /// ISO 3166 code.
    pub(in crate::demo) country: String,
}

/// So many of one product.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::demo) struct Line {
    pub(in crate::demo) sku: String,
    /// At least one.
    pub(in crate::demo) quantity: i64,
}

/// An amount of money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::demo) struct Money {
    pub(in crate::demo) cents: i64,
    /// ISO 4217 code.
    pub(in crate::demo) currency: String,
}

/// What was bought.
#[derive(Clone, Debug, Serialize)]
pub(in crate::demo) struct Order {
    /// `o1` and on.
    pub(in crate::demo) id: String,
    pub(in crate::demo) customer_id: String,
    /// `PAID`, `SHIPPED` or `DELIVERED`.
    pub(in crate::demo) status: &'static str,
    pub(in crate::demo) lines: Vec<Line>,
    pub(in crate::demo) total: Money,
    /// Null for orders from before the demo started.
    pub(in crate::demo) payment_id: Option<String>,
    /// An RFC 3339 time.
    pub(in crate::demo) placed_at: String,
}

/// The customers: names repeat, ids and addresses of mail do not.
pub(super) fn customers(random: &mut Random) -> Vec<Customer> {
    (1..=Store::CUSTOMERS)
        .map(|number| {
            // Walking the last names at another pace gives every pair once before one comes again.
            let first_name = FIRST_NAMES[(number - 1) % FIRST_NAMES.len()];
            let last_name = LAST_NAMES[((number - 1) + (number - 1) / FIRST_NAMES.len()) % LAST_NAMES.len()];
            let (city, postcode, country) = CITIES[random.below(CITIES.len())];
            Customer {
                id: format!("c{number}"),
                first_name: first_name.to_owned(),
                last_name: last_name.to_owned(),
                email: format!("{}.{}@example.com", plain(first_name), plain(last_name)),
                tier: ["GOLD", "STANDARD", "PLUS", "STANDARD"][(number - 1) % 4],
                newsletter: random.chance(40),
                address: Address {
                    street: format!("{} {}", 1 + random.below(90), random.pick(STREETS)),
                    city: city.to_owned(),
                    postcode: postcode.to_owned(),
                    country: country.to_owned(),
                },
                joined_at: day(random.below(700)),
            }
        })
        .collect()
}

/// One cart for each customer: empty for every tenth; with a first line that nobody has in stock for
/// those whose number ends in 7; else one to four lines that are in stock.
pub(super) fn carts(random: &mut Random, products: &[Product]) -> Vec<Vec<Line>> {
    let (stocked, missing): (Vec<&Product>, Vec<&Product>) = products.iter().partition(|product| product.stock > 0);
    (1..=Store::CUSTOMERS)
        .map(|number| match number % 10 {
            0 => Vec::new(),
            7 => {
                let mut lines = lines(random, &stocked, 1);
                lines.insert(0, Line { sku: random.pick(&missing).sku.clone(), quantity: 1 });
                lines
            }
            _ => {
                let count = 1 + random.below(4);
                lines(random, &stocked, count)
            }
        })
        .collect()
}

/// Up to five delivered orders for each customer; c1 always has some.
pub(super) fn orders(random: &mut Random, products: &[Product]) -> Vec<Order> {
    let products: Vec<&Product> = products.iter().collect();
    let mut orders = Vec::new();
    for number in 1..=Store::CUSTOMERS {
        let count = if number == 1 { 3 } else { random.below(6) };
        for _ in 0..count {
            let size = 1 + random.below(3);
            let lines = lines(random, &products, size);
            let price =
                |line: &Line| products.iter().find(|product| product.sku == line.sku).map_or(0, |p| p.price_cents);
            let cents = lines.iter().map(|line| price(line) * line.quantity).sum();
            orders.push(Order {
                id: format!("o{}", orders.len() + 1),
                customer_id: format!("c{number}"),
                status: "DELIVERED",
                lines,
                total: Money { cents, currency: "EUR".to_owned() },
                payment_id: None,
                placed_at: day(random.below(700)),
            });
        }
    }
    orders
}

/// `count` lines of one to three pieces, none of them twice.
fn lines(random: &mut Random, products: &[&Product], count: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(count);
    while lines.len() < count {
        let sku = &random.pick(products).sku;
        if lines.iter().all(|line| line.sku != *sku) {
            lines.push(Line { sku: sku.clone(), quantity: 1 + random.below(3) as i64 });
        }
    }
    lines
}

/// A name as it stands in an address of mail: lower case, ASCII letters only.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('á', "a")
}
