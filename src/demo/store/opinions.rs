//! What customers think of products.

use super::people::Customer;
use super::random::Random;
use super::words::{REMARKS, REPLIES, TITLES, VERDICTS};
use super::{SECONDS_OF_A_DAY, START, Store};

/// One customer's opinion of one product.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Opinion {
    /// `r1` to `r20000`.
    pub(in crate::demo) id: String,
    /// Who wrote it, as a position in the store's customers.
    pub(in crate::demo) customer: usize,
    /// One to five.
    pub(in crate::demo) stars: i32,
    pub(in crate::demo) title: &'static str,
    pub(in crate::demo) text: String,
    /// Seconds since 1970.
    pub(in crate::demo) written_at: i64,
    /// What the seller answered.
    pub(in crate::demo) reply: Option<&'static str>,
    /// How many found it helpful.
    pub(in crate::demo) helpful: i64,
    /// Whether the writer bought the product here.
    pub(in crate::demo) bought: bool,
}

/// The opinions of each product, newest first. Early products have more than late ones, as in real life.
pub(super) fn opinions(random: &mut Random, customers: &[Customer]) -> Vec<Vec<Opinion>> {
    let mut by_product: Vec<Vec<Opinion>> = (0..Store::PRODUCTS).map(|_| Vec::new()).collect();
    let mut written = 0;
    while written < Store::REVIEWS {
        let product = random.below(Store::PRODUCTS).min(random.below(Store::PRODUCTS));
        if (product + 1).is_multiple_of(Store::WITHOUT_REVIEWS) {
            continue;
        }
        written += 1;
        by_product[product].push(opinion(random, written, customers.len()));
    }
    for opinions in &mut by_product {
        opinions.sort_by_key(|opinion| std::cmp::Reverse(opinion.written_at));
    }
    by_product
}

fn opinion(random: &mut Random, number: usize, customers: usize) -> Opinion {
    // The better of two throws, because people mostly review what they like.
    let stars = random.below(5).max(random.below(5));
    let verdict = random.pick(VERDICTS[stars]);
    let text = if random.chance(70) { format!("{verdict} {}", random.pick(REMARKS)) } else { verdict.to_owned() };
    Opinion {
        id: format!("r{number}"),
        customer: random.below(customers),
        stars: stars as i32 + 1,
        title: random.pick(TITLES[stars]),
        text,
        written_at: START + random.below(700 * SECONDS_OF_A_DAY as usize) as i64,
        reply: random.chance(12).then(|| random.pick(REPLIES)),
        helpful: random.below(40) as i64,
        bought: random.chance(80),
    }
}
