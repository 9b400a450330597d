//! Overload: how many requests may be under way, and whose turn it is to be refused when there are too many.
//!
//! Requests are of three classes. Each is refused beyond its share of the limit, the least important first, so that what
//! is left to do is what matters most. Where memory grows short the same classes are refused in the same order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// How far memory must fall below a step before that is left.
const HYSTERESIS: f64 = 0.05;

/// How important requests are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Refused first.
    Sheddable,
    /// Refused next.
    #[default]
    Default,
    /// Refused last.
    Critical,
}

/// When requests are refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Requests at the same time, all classes together, where that is written.
    pub requests: Option<usize>,
    /// The share of the memory limit from which on requests are refused, from 0 to 1.
    pub memory: f64,
    /// Bytes of memory that the process may have, where that is written.
    pub memory_limit: Option<u64>,
    /// Bytes that bodies which are read whole may have together, where that is written.
    pub bodies: Option<u64>,
}

impl Class {
    /// All of them, the most important first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Default, Self::Sheddable];

    /// What compositions call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::Default => "default",
            Self::Critical => "critical",
        }
    }

    /// Per cent of the limit beyond which requests of the class are refused.
    fn share(self) -> usize {
        match self {
            Self::Sheddable => 70,
            Self::Default => 90,
            Self::Critical => 100,
        }
    }
}

/// The requests of one process: how many are under way, how many were refused.
#[derive(Debug, Default)]
pub struct Overload {
    limit: AtomicUsize,
    under_way: AtomicUsize,
    of_class: [AtomicUsize; 3],
    shed: [AtomicU64; 3],
    /// How many classes are refused because memory is short, the least important first.
    short: AtomicU8,
    /// Bytes that the process has, and may have; 0 where that is not known.
    memory: (AtomicU64, AtomicU64),
}

/// A request under way, until it is dropped.
#[must_use]
#[derive(Debug)]
pub struct Place {
    overload: Arc<Overload>,
    class: Class,
}

/// A request that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shed;

/// The requests of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Under way.
    pub under_way: usize,
    /// Refused since the process began.
    pub shed: u64,
}

impl Overload {
    /// Lets so many requests be under way from now on.
    pub fn limit_to(&self, requests: usize) {
        self.limit.store(requests, Ordering::Relaxed);
    }

    /// The limit.
    pub fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Takes a place for a request.
    ///
    /// # Errors
    /// There is none for its class.
    pub fn enter(self: &Arc<Self>, class: Class) -> Result<Place, Shed> {
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        if !self.admits(class, before) {
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            self.shed[class as usize].fetch_add(1, Ordering::Relaxed);
            return Err(Shed);
        }
        self.of_class[class as usize].fetch_add(1, Ordering::Relaxed);
        Ok(Place { overload: self.clone(), class })
    }

    /// Whether there is a place for a request of a class beside so many others.
    fn admits(&self, class: Class, others: usize) -> bool {
        let room = (self.limit().saturating_mul(class.share())).div_ceil(100);
        others < room && class as u8 >= self.short.load(Ordering::Relaxed)
    }

    /// Takes note of how many bytes the process has, and may have; from the share `short` on less and less is admitted.
    /// What was begun is ended only some way below, so that it does not come and go.
    pub fn note_memory(&self, (used, limit): (u64, u64), short: f64) {
        self.memory.0.store(used, Ordering::Relaxed);
        self.memory.1.store(limit, Ordering::Relaxed);
        let used = used as f64 / limit.max(1) as f64;
        let steps = [short, short + (1.0 - short) * 0.5, short + (1.0 - short) * 0.8];
        let now = self.short.load(Ordering::Relaxed);
        let reached = steps.iter().filter(|step| used >= **step).count() as u8;
        let kept = steps.iter().filter(|step| used >= **step - HYSTERESIS).count() as u8;
        self.short.store(now.clamp(reached, kept.max(reached)), Ordering::Relaxed);
    }

    /// Bytes that the process has, and may have; 0 where that is not known.
    pub fn memory(&self) -> (u64, u64) {
        (self.memory.0.load(Ordering::Relaxed), self.memory.1.load(Ordering::Relaxed))
    }

    /// How many classes are refused because memory is short, the least important first.
    pub fn short(&self) -> u8 {
        self.short.load(Ordering::Relaxed)
    }

    /// The requests of a class.
    pub fn seen(&self, class: Class) -> Seen {
        let at = class as usize;
        Seen { under_way: self.of_class[at].load(Ordering::Relaxed), shed: self.shed[at].load(Ordering::Relaxed) }
    }
}

impl Place {
    /// Takes note that the request is of another class than was thought.
    ///
    /// # Errors
    /// There is no place for that.
    pub fn be(&mut self, class: Class) -> Result<(), Shed> {
        let overload = &self.overload;
        overload.of_class[self.class as usize].fetch_sub(1, Ordering::Relaxed);
        overload.of_class[class as usize].fetch_add(1, Ordering::Relaxed);
        self.class = class;
        let others = overload.under_way.load(Ordering::Relaxed).saturating_sub(1);
        if overload.admits(class, others) {
            return Ok(());
        }
        overload.shed[class as usize].fetch_add(1, Ordering::Relaxed);
        Err(Shed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.overload.of_class[self.class as usize].fetch_sub(1, Ordering::Relaxed);
        self.overload.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_limit(limit: usize) -> Arc<Overload> {
        let overload = Arc::<Overload>::default();
        overload.limit_to(limit);
        overload
    }

    #[test]
    fn the_least_important_are_refused_first() {
        let overload = of_limit(100);
        let take = |class: Class| {
            let mut places = Vec::new();
            while let Ok(place) = overload.enter(class) {
                places.push(place);
            }
            places
        };
        let sheddable = take(Class::Sheddable);
        let default = take(Class::Default);
        let critical = take(Class::Critical);
        assert_eq!((sheddable.len(), default.len(), critical.len()), (70, 20, 10));
        drop(sheddable);
        assert_eq!(overload.seen(Class::Sheddable), Seen { under_way: 0, shed: 1 });
        assert_eq!(overload.seen(Class::Default), Seen { under_way: 20, shed: 1 });
        assert!(overload.enter(Class::Sheddable).is_ok());
    }

    #[test]
    fn even_the_smallest_limit_lets_one_through() {
        let overload = of_limit(1);
        for class in Class::ALL {
            let one = overload.enter(class);
            assert!(one.is_ok() && overload.enter(Class::Critical).is_err());
        }
    }

    #[test]
    fn a_request_of_another_class_than_was_thought_is_judged_by_its_own() {
        let overload = of_limit(10);
        let mut places: Vec<Place> = (0..8).filter_map(|_| overload.enter(Class::Critical).ok()).collect();
        let mut last = places.pop().expect("there is one");
        assert_eq!(last.be(Class::Default), Ok(()));
        assert_eq!(last.be(Class::Sheddable), Err(Shed));
        assert_eq!(overload.seen(Class::Sheddable), Seen { under_way: 1, shed: 1 });
        drop((last, places));
        assert!(Class::ALL.iter().all(|class| overload.seen(*class).under_way == 0));
    }

    #[test]
    fn short_memory_refuses_class_by_class_and_forgives_late() {
        let overload = of_limit(100);
        let admitted = |used: u64| {
            overload.note_memory((used, 100), 0.8);
            Class::ALL.iter().filter(|class| overload.enter(**class).is_ok()).count()
        };
        let used = [50, 79, 80, 76, 74, 90, 86, 84, 97, 92, 90, 70];
        assert_eq!(used.map(admitted), [3, 3, 2, 2, 3, 1, 1, 2, 0, 0, 1, 3]);
    }

    proptest::proptest! {
        #[test]
        fn what_enters_leaves(classes in proptest::collection::vec(0..3_usize, 0..200), limit in 1..50_usize) {
            let overload = of_limit(limit);
            let places: Vec<_> = classes.iter().filter_map(|at| overload.enter(Class::ALL[*at]).ok()).collect();
            proptest::prop_assert!(places.len() <= limit);
            proptest::prop_assert_eq!(overload.under_way.load(Ordering::Relaxed), places.len());
            drop(places);
            proptest::prop_assert_eq!(overload.under_way.load(Ordering::Relaxed), 0);
            proptest::prop_assert!(Class::ALL.iter().all(|class| overload.seen(*class).under_way == 0));
        }
    }
}
