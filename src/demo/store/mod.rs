//! What the demo store holds when it starts: made of a fixed seed, so it is the same on every machine.

mod goods;
mod opinions;
mod people;
mod random;
mod words;

use prost_types::Timestamp;

pub(super) use self::goods::{Category, Product, Seller};
pub(super) use self::opinions::Opinion;
pub(super) use self::people::{Address, Customer, Line, Money, Order};
use self::random::Random;

/// 2024-01-01T00:00:00Z, the day on which the store's past begins, in seconds since 1970.
const START: i64 = 1_704_067_200;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// Everything, read-only. Positions are ids less one: `p1` is `products[0]`.
#[derive(Debug)]
pub(super) struct Store {
    /// Departments first, then what is in them.
    pub(super) categories: Vec<Category>,
    pub(super) sellers: Vec<Seller>,
    pub(super) products: Vec<Product>,
    pub(super) customers: Vec<Customer>,
    /// What lies in each customer's cart at the start.
    pub(super) carts: Vec<Vec<Line>>,
    /// The past orders of all customers.
    pub(super) orders: Vec<Order>,
    /// What was written about each product, newest first.
    pub(super) opinions: Vec<Vec<Opinion>>,
}

impl Store {
    pub(super) const PRODUCTS: usize = 1_000;
    pub(super) const CUSTOMERS: usize = 200;
    pub(super) const REVIEWS: usize = 20_000;
    /// Every 7th product is out of stock.
    pub(super) const OUT_OF_STOCK: usize = 7;
    /// Every 11th product has no reviews.
    pub(super) const WITHOUT_REVIEWS: usize = 11;
    /// Every 13th product has no seller.
    pub(super) const WITHOUT_SELLER: usize = 13;
    /// Every 5th product costs a fifth less than its list price.
    pub(super) const REDUCED: usize = 5;

    /// The store. Each part has its own sequence of random numbers: changing one leaves the others as they are.
    pub(super) fn generate() -> Self {
        let sellers = goods::sellers(&mut Random::new(1));
        let products = goods::products(&mut Random::new(2), sellers.len());
        let customers = people::customers(&mut Random::new(3));
        Self {
            categories: goods::categories(&products),
            carts: people::carts(&mut Random::new(4), &products),
            orders: people::orders(&mut Random::new(5), &products),
            opinions: opinions::opinions(&mut Random::new(6), &customers),
            sellers,
            products,
            customers,
        }
    }

    /// The position of a product by its id, such as `p12`.
    pub(super) fn product(&self, id: &str) -> Option<usize> {
        position(id, "p").filter(|position| *position < self.products.len())
    }

    /// The position of a product by its SKU, such as `TEA-0012`.
    pub(super) fn sku(&self, sku: &str) -> Option<usize> {
        let (_, number) = sku.rsplit_once('-')?;
        let position = number.parse::<usize>().ok()?.checked_sub(1)?;
        self.products.get(position).filter(|product| product.sku == sku).map(|_| position)
    }

    /// A seller by id, such as `s12`.
    pub(super) fn seller(&self, id: &str) -> Option<&Seller> {
        self.sellers.get(position(id, "s")?)
    }

    /// A category by id, such as `tea`.
    pub(super) fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }
}

/// The position that an id of `prefix` and a number from 1 stands for.
pub(super) fn position(id: &str, prefix: &str) -> Option<usize> {
    let number = id.strip_prefix(prefix)?;
    // `p01` and `p+1` are other texts than `p1`, so they are no ids.
    let canonical = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<usize>().ok().filter(|_| canonical)?.checked_sub(1)
}

/// So many days after the store's first, in the form of RFC 3339.
fn day(days: usize) -> String {
    Timestamp { seconds: START + days as i64 * SECONDS_OF_A_DAY, nanos: 0 }.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Store, position};

    #[test]
    fn the_store_is_the_same_on_every_start() {
        let (first, second) = (Store::generate(), Store::generate());
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        // These were looked at once and must never change: documents and tests name them.
        assert_eq!(first.products[0].name, "Evening Willow Trug");
        assert_eq!(first.products[999].name, "Plain Paper Kite");
        assert_eq!(first.sellers[0].name, "Harbour & Vale");
        assert_eq!(first.customers[0].email, "ada.lindqvist@example.com");
        assert_eq!(first.orders.len(), 466);
    }

    #[test]
    fn the_store_has_its_size_and_its_oddities() {
        let store = Store::generate();
        assert_eq!((store.products.len(), store.sellers.len(), store.customers.len()), (1_000, 50, 200));
        assert_eq!(store.opinions.iter().map(Vec::len).sum::<usize>(), 20_000);
        assert_eq!(store.products.iter().filter(|product| product.stock == 0).count(), 142);
        assert_eq!(store.products.iter().filter(|product| product.seller_id.is_none()).count(), 76);
        assert!(store.opinions.iter().filter(|opinions| opinions.is_empty()).count() >= 90);
    }

    #[test]
    fn names_skus_and_addresses_are_unique() {
        let store = Store::generate();
        let names: HashSet<_> = store.products.iter().map(|product| &product.name).collect();
        let skus: HashSet<_> = store.products.iter().map(|product| &product.sku).collect();
        let emails: HashSet<_> = store.customers.iter().map(|customer| &customer.email).collect();
        assert_eq!((names.len(), skus.len(), emails.len()), (1_000, 1_000, 200));
    }

    #[test]
    fn only_ids_as_they_are_written_are_ids() {
        assert_eq!((position("p1", "p"), position("p1000", "p")), (Some(0), Some(999)));
        for wrong in ["", "p", "p0", "p01", "p+1", "s1", "p1x"] {
            assert_eq!(position(wrong, "p"), None, "{wrong}");
        }
    }
}
