//! Models of the policies whose state is written without a lock: every order in which threads may do it, tried by loom.
//!
//! `cargo run --manifest-path tests/models/Cargo.toml` runs them, in a few seconds. The policies are those of `src/policy`, as
//! they are: what they call `std` is this crate, whose atomics and locks are loom's.
//!
//! Breakers, budgets and flights have their state under one lock, and bulkheads are tokio's semaphore: there is nothing to try, and
//! property tests stand beside them. What one thread has for itself (connections, the exchanges of a client) is not shared.
#![no_std]

extern crate self as std;
extern crate std as machine;

/// What policies use of `std::sync`.
pub mod sync {
    pub use loom::sync::{Mutex, MutexGuard};
    pub use machine::sync::{Arc, PoisonError};

    /// What policies use of `std::sync::atomic`.
    pub mod atomic {
        pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
    }
}

/// What policies use of `std::time`.
pub mod time {
    pub use core::time::Duration;
}

/// What policies use of the shared words.
#[allow(dead_code, reason = "models use a part of the policies")]
#[path = "../../../src/base"]
mod base {
    pub mod attempt;
}

/// The policies.
#[allow(dead_code, reason = "models use a part of the policies")]
#[path = "../../../src/policy"]
mod policy {
    pub mod eject;
    pub mod latency;
    pub mod outlook;
    pub mod overload;
}

use core::time::Duration;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use machine::println;
use machine::sync::Arc;
use machine::vec::Vec;
use tokio::time::Instant;

use base::attempt::Health;
use policy::eject::{Ejection, Settings};
use policy::latency::Latency;
use policy::outlook::{Look, Outlook};
use policy::overload::{Class, Overload};

fn main() {
    let models: [(&str, fn()); 5] = [
        ("no more requests are under way than there may be", no_more_than_there_may_be),
        ("a request of another class gives back what it took", another_class),
        ("no time that was counted is lost", no_time_is_lost),
        ("of two failures at the same moment one leaves an address out, and one call tries it", one_is_left_out),
        ("whoever looks last has seen every change", every_change_is_seen),
    ];
    for (claim, model) in models {
        loom::model(model);
        println!("{claim}");
    }
}

fn no_more_than_there_may_be() {
    let (overload, inside) = (Arc::new(Overload::default()), Arc::new(AtomicUsize::new(0)));
    overload.limit_to(1);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (overload, inside) = (overload.clone(), inside.clone());
            thread::spawn(move || {
                if let Ok(place) = overload.enter(Class::Critical) {
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(place);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    assert_eq!(overload.seen(Class::Critical).under_way, 0);
    assert!(overload.enter(Class::Critical).is_ok());
}

fn another_class() {
    let overload = Arc::new(Overload::default());
    overload.limit_to(2);
    let other = overload.clone();
    let thread = thread::spawn(move || {
        let place = other.enter(Class::Critical);
        if let Ok(mut place) = place {
            let _ = place.be(Class::Sheddable);
        }
    });
    let _ = overload.enter(Class::Default);
    thread.join().expect("it ends");
    assert!(Class::ALL.iter().all(|class| overload.seen(*class).under_way == 0));
    assert!(overload.enter(Class::Sheddable).is_ok());
}

fn no_time_is_lost() {
    let now = Instant::now();
    let latency = Arc::new(Latency::new(now));
    let threads: Vec<_> = [70, 90]
        .map(|millis| {
            let latency = latency.clone();
            thread::spawn(move || latency.count_at_least(Duration::from_millis(millis), now))
        })
        .into_iter()
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    assert_eq!(latency.estimate(now).as_millis(), 90);
}

const SETTINGS: Settings =
    Settings { consecutive: 1, base: Duration::from_secs(30), max: Duration::from_secs(60), share: 0.5 };

fn one_is_left_out() {
    let (ejection, now) = (Arc::new(Ejection::new(SETTINGS)), Instant::now());
    let later = now + SETTINGS.base;
    let both = |what: fn(&Ejection, (Instant, Instant)) -> bool| {
        let other = ejection.clone();
        let thread = thread::spawn(move || what(&other, (now, later)));
        let here = what(&ejection, (now, later));
        usize::from(here) + usize::from(thread.join().expect("it ends"))
    };
    assert_eq!(both(|ejection, (now, _)| ejection.count(Health::Hard, now, || true).is_some()), 1);
    assert!(ejection.is_out());
    assert_eq!(both(|ejection, (_, later)| ejection.try_again(later)), 1);
    assert!(ejection.settle_try(Health::Success, later).is_some());
    assert!(!ejection.is_out() && ejection.until().is_none());
}

/// One address comes back while the other is left out, on two workers.
fn every_change_is_seen() {
    let now = Instant::now();
    let later = now + SETTINGS.base;
    let group = Arc::new((Outlook::new(), [Ejection::new(SETTINGS), Ejection::new(SETTINGS)]));
    let _ = group.1[0].count(Health::Hard, now, || true);
    assert!(group.1[0].try_again(later));
    let look = move |(outlook, members): &(Outlook, [Ejection; 2])| {
        outlook.renew(|| Look {
            all: members.len(),
            open: members.iter().filter(|member| !member.is_out()).count(),
            next_try: members.iter().filter_map(Ejection::until).map(|until| (until - now).as_secs()).min(),
        });
    };
    let other = group.clone();
    let thread = thread::spawn(move || {
        let _ = other.1[0].settle_try(Health::Success, later);
        look(&other);
    });
    let _ = group.1[1].count(Health::Hard, later, || true);
    look(&group);
    thread.join().expect("it ends");
    assert!(!group.0.is_due(59), "the other address is not out");
    assert!(group.0.is_due(60), "nobody will ever try the address that is left out");
    assert!(!group.0.is_panicking());
}
