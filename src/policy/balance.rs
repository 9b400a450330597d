//! Which of several addresses gets a call.
//!
//! Addresses are drawn from a wheel on which each stands as often as its weight says. `round_robin` turns it, `random`
//! spins it, and the two that know how much an address has to do draw twice and take the better: nearly as good as
//! looking at all of them, and calls that come at the same time do not all choose the same one. Source: Mitzenmacher,
//! "The Power of Two Choices in Randomized Load Balancing" (2001).

/// How an address is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The better of two, by how slow it is and how many calls it has.
    LeastLoaded,
    /// The better of two, by how many calls it has.
    LeastRequests,
    /// Each in turn.
    RoundRobin,
    /// Any.
    Random,
}

impl Algorithm {
    /// As compositions write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::LeastLoaded => "least_loaded",
            Self::LeastRequests => "least_requests",
            Self::RoundRobin => "round_robin",
            Self::Random => "random",
        }
    }
}

/// Places on a wheel, unless there are more addresses than that.
const PLACES: usize = 1_024;

/// Addresses by their weights, spread evenly.
#[derive(Debug)]
pub struct Wheel(Box<[u32]>);

impl Wheel {
    /// A wheel of as many addresses as there are weights. Every address has one place at least; shares beyond a
    /// thousandth are rounded.
    pub fn new(weights: &[u32]) -> Self {
        let divisor = weights.iter().copied().fold(0, greatest_common_divisor).max(1);
        let places: Vec<i64> = weights.iter().map(|weight| i64::from(weight / divisor)).collect();
        let sum: i64 = places.iter().sum();
        let room = PLACES.max(weights.len()) as i64;
        let places: Vec<i64> = match sum > room {
            true => places.iter().map(|places| (places * room / sum).max(1)).collect(),
            false => places,
        };
        let sum: i64 = places.iter().sum();
        // Whoever is furthest behind its share comes next: the weighted round robin of nginx.
        let mut credits = vec![0_i64; places.len()];
        let next = |_| {
            credits.iter_mut().zip(&places).for_each(|(credit, places)| *credit += places);
            let furthest = (0..credits.len()).rev().max_by_key(|position| credits[*position])?;
            credits[furthest] -= sum;
            u32::try_from(furthest).ok()
        };
        Self((0..sum).filter_map(next).collect())
    }

    /// The address at a place; any number is one.
    fn at(&self, turn: u64) -> Option<usize> {
        let places = u64::try_from(self.0.len()).ok().filter(|places| *places > 0)?;
        self.0.get((turn % places) as usize).map(|position| *position as usize)
    }

    /// Draws until an address is free, `next` saying where; in the end whichever is, or none.
    pub fn draw(&self, mut next: impl FnMut() -> u64, is_free: impl Fn(usize) -> bool) -> Option<usize> {
        let drawn = (0..self.0.len()).find_map(|_| self.at(next()).filter(|position| is_free(*position)));
        drawn.or_else(|| self.0.iter().map(|position| *position as usize).find(|position| is_free(*position)))
    }

    /// Draws two different addresses that are free and takes the one with the lower load; the first where both are alike.
    pub fn better_of_two(
        &self,
        mut next: impl FnMut() -> u64,
        is_free: impl Fn(usize) -> bool,
        load: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let first = self.draw(&mut next, &is_free)?;
        match self.draw(next, |position| position != first && is_free(position)) {
            Some(second) if load(second) < load(first) => Some(second),
            _ => Some(first),
        }
    }
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Wheel;

    fn turning() -> impl FnMut() -> u64 {
        let mut turn = 0;
        move || {
            turn += 1;
            turn - 1
        }
    }

    #[test]
    fn equal_weights_take_strict_turns() {
        let (wheel, mut next) = (Wheel::new(&[7, 7, 7]), turning());
        let drawn: Vec<_> = (0..7).filter_map(|_| wheel.draw(&mut next, |_| true)).collect();
        assert_eq!(drawn, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn the_turn_of_one_that_is_out_goes_to_all_others() {
        let (wheel, mut next) = (Wheel::new(&[1, 1, 1]), turning());
        let drawn: Vec<_> = (0..4).filter_map(|_| wheel.draw(&mut next, |position| position != 1)).collect();
        assert_eq!(drawn, [0, 2, 0, 2]);
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_free() {
        assert_eq!(Wheel::new(&[]).draw(turning(), |_| true), None);
        assert_eq!(Wheel::new(&[1, 2]).draw(turning(), |_| false), None);
        assert_eq!(Wheel::new(&[1, 2]).better_of_two(turning(), |_| false, |_| 0.0), None);
    }

    #[test]
    fn great_weights_keep_their_shares() {
        let wheel = Wheel::new(&[65_535, 1, 21_845]);
        assert!(wheel.0.len() <= super::PLACES + 3);
        let share = |of: u32| wheel.0.iter().filter(|position| **position == of).count();
        assert_eq!(share(1), 1);
        assert!(share(0).abs_diff(3 * share(2)) <= 3, "{} {}", share(0), share(2));
    }

    proptest! {
        #[test]
        fn a_whole_turn_gives_each_its_weight(weights in proptest::collection::vec(1_u32..20, 1..20)) {
            let (wheel, mut next) = (Wheel::new(&weights), turning());
            let mut counts = vec![0_u32; weights.len()];
            let sum: u32 = weights.iter().sum();
            (0..sum).filter_map(|_| wheel.draw(&mut next, |_| true)).for_each(|position| counts[position] += 1);
            prop_assert_eq!(counts, weights);
        }

        #[test]
        fn the_one_that_is_worse_than_all_others_is_never_taken(
            loads in proptest::collection::vec(1_u32..100, 2..12), seed in any::<u64>(), turns in 1_usize..50,
        ) {
            let mut random = fastrand::Rng::with_seed(seed);
            let worst = (0..loads.len()).max_by_key(|position| loads[*position]).expect("there are some");
            prop_assume!(loads.iter().filter(|load| **load == loads[worst]).count() == 1);
            let wheel = Wheel::new(&vec![1; loads.len()]);
            for _ in 0..turns {
                let taken = wheel.better_of_two(|| random.u64(..), |_| true, |position| f64::from(loads[position]));
                prop_assert_ne!(taken, Some(worst));
            }
        }

        #[test]
        fn what_is_not_free_is_never_taken(
            free in proptest::collection::vec(any::<bool>(), 1..12), seed in any::<u64>(),
        ) {
            let mut random = fastrand::Rng::with_seed(seed);
            let wheel = Wheel::new(&vec![1; free.len()]);
            let taken = wheel.better_of_two(|| random.u64(..), |position| free[position], |_| 1.0);
            prop_assert_eq!(taken.is_some(), free.contains(&true));
            prop_assert!(taken.is_none_or(|position| free[position]));
        }
    }
}
