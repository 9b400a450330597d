//! What the store sells: categories, sellers, products.

use serde::Serialize;

use super::random::Random;
use super::words::{ADJECTIVES, COUNTRIES, DEPARTMENTS, PLACES, PROMISES, SELLER_FIRST, SELLER_LAST, SHELVES, TAGS};
use super::{Store, day};

/// A node of the category tree.
#[derive(Debug, Serialize)]
pub(in crate::demo) struct Category {
    /// A word that fits a path, such as `tea`.
    pub(in crate::demo) id: &'static str,
    pub(in crate::demo) name: &'static str,
    /// The category above it; null for a department.
    pub(in crate::demo) parent_id: Option<&'static str>,
    /// How many products it holds, those of its children included.
    pub(in crate::demo) products: usize,
}

/// Who sells.
#[derive(Debug, Serialize)]
pub(in crate::demo) struct Seller {
    /// `s1` to `s50`.
    pub(in crate::demo) id: String,
    pub(in crate::demo) name: String,
    /// ISO 3166 code.
    pub(in crate::demo) country: &'static str,
    /// The year in which they joined.
    pub(in crate::demo) since: usize,
    /// The mean of their ratings, one to five.
    pub(in crate::demo) score: f64,
    pub(in crate::demo) verified: bool,
}

/// What is sold.
#[derive(Debug, Serialize)]
pub(in crate::demo) struct Product {
    /// `p1` to `p1000`.
    pub(in crate::demo) id: String,
    /// The key that prices and stock use, such as `TEA-0012`.
    pub(in crate::demo) sku: String,
    pub(in crate::demo) name: String,
    pub(in crate::demo) description: String,
    pub(in crate::demo) category_id: &'static str,
    /// Null for every 13th product.
    pub(in crate::demo) seller_id: Option<String>,
    /// The list price in cents.
    pub(in crate::demo) price_cents: i64,
    /// Always `EUR`; `/prices` converts.
    pub(in crate::demo) currency: &'static str,
    /// The name of the picture below `/images/`.
    pub(in crate::demo) image: String,
    pub(in crate::demo) tags: Vec<&'static str>,
    /// An RFC 3339 time.
    pub(in crate::demo) added_at: String,
    /// How many there are when the demo starts; the inventory's to tell.
    #[serde(skip)]
    pub(in crate::demo) stock: i64,
}

/// The category tree, departments first, with the number of products in each.
pub(super) fn categories(products: &[Product]) -> Vec<Category> {
    let within = |id: &str| products.iter().filter(|product| product.category_id == id).count();
    let departments = DEPARTMENTS.iter().map(|(id, name)| {
        let products = SHELVES.iter().filter(|shelf| shelf.department == *id).map(|shelf| within(shelf.id)).sum();
        Category { id, name, parent_id: None, products }
    });
    let leaves = SHELVES.iter().map(|shelf| Category {
        id: shelf.id,
        name: shelf.name,
        parent_id: Some(shelf.department),
        products: within(shelf.id),
    });
    departments.chain(leaves).collect()
}

/// One seller for each pair of name parts: fifty.
pub(super) fn sellers(random: &mut Random) -> Vec<Seller> {
    let names = SELLER_LAST.iter().flat_map(|last| SELLER_FIRST.iter().map(move |first| format!("{first} {last}")));
    names
        .enumerate()
        .map(|(index, name)| Seller {
            id: format!("s{}", index + 1),
            name,
            country: random.pick(COUNTRIES),
            since: 2009 + random.below(15),
            score: (30 + random.below(21)) as f64 / 10.0,
            verified: random.chance(70),
        })
        .collect()
}

/// The products. Their oddities are regular, so that they are easy to find: see the constants of [`Store`].
pub(super) fn products(random: &mut Random, sellers: usize) -> Vec<Product> {
    let mut products: Vec<Product> = Vec::with_capacity(Store::PRODUCTS);
    while products.len() < Store::PRODUCTS {
        let product = product(random, products.len() + 1, sellers);
        if products.iter().all(|other| other.name != product.name) {
            products.push(product);
        }
    }
    products
}

fn product(random: &mut Random, number: usize, sellers: usize) -> Product {
    let shelf = &SHELVES[random.below(SHELVES.len())];
    let (thing, lowest_price) = shelf.things[random.below(shelf.things.len())];
    let material = random.pick(shelf.materials);
    let adjective = random.pick(ADJECTIVES);
    let name = format!("{adjective} {material} {thing}");
    let article = if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "An" } else { "A" };
    let seller = format!("s{}", random.below(sellers) + 1);
    let stock = 4 + random.below(120) as i64;
    let first_tag = random.below(TAGS.len());
    Product {
        id: format!("p{number}"),
        sku: format!("{}-{number:04}", shelf.prefix),
        description: format!(
            "{article} {} from {}. {}",
            name.to_lowercase(),
            random.pick(PLACES),
            random.pick(PROMISES)
        ),
        name,
        category_id: shelf.id,
        seller_id: (!number.is_multiple_of(Store::WITHOUT_SELLER)).then_some(seller),
        price_cents: lowest_price + 50 * random.below(lowest_price as usize / 50) as i64,
        currency: "EUR",
        image: format!("p{number}.svg"),
        tags: TAGS.iter().cycle().skip(first_tag).step_by(3).take(random.below(4)).copied().collect(),
        added_at: day(random.below(700)),
        stock: if number.is_multiple_of(Store::OUT_OF_STOCK) { 0 } else { stock },
    }
}
