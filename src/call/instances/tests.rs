//! Simulated calls: what each address gets.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::tend::Tending;
use super::{Asking, Chosen, Clients, Group, Instances, Tried};
use crate::base::anchor::Anchor;
use crate::base::attempt::{Health, Load, Sample};
use crate::plan::{Address, Balance, Sticky};
use crate::policy::affinity::stable_hash;
use crate::policy::balance::Algorithm;
use crate::policy::eject;

const EJECT: eject::Settings =
    eject::Settings { consecutive: 5, base: Duration::from_secs(30), max: Duration::from_secs(300), share: 0.5 };

pub(super) fn balance(algorithm: Algorithm) -> Balance {
    Balance { algorithm, sticky: None, eject: Some(EJECT), health: None, slow_start: Duration::ZERO }
}

fn instances(balance: &Balance, weights: &[u32]) -> Instances {
    let addresses: Vec<Address> = weights.iter().enumerate().map(|(number, weight)| address(number, *weight)).collect();
    let group = Arc::new(Group::new(balance, &addresses, &Clients::of(1)));
    let tending = Tending::of(&group, None);
    Instances::Several { group, tending }
}

pub(super) fn address(number: usize, weight: u32) -> Address {
    let authority: http::uri::Authority = format!("{number}.test:80").parse().expect("it is one");
    Address { location: authority.clone(), authority, prefix: "".into(), tls: None, weight }
}

fn asking(tried: &Tried) -> Asking<'_> {
    Asking { worker: 0, affinity: None, anchor: None, tried }
}

/// Which address it is, by its number.
fn number(chosen: &Chosen<'_>) -> usize {
    let Chosen::Of(under_way) = chosen else { unreachable!("there are several") };
    under_way.number()
}

fn sample(health: Health, millis: u64) -> Sample {
    Sample { health, load: Load::Unsaid, took: Duration::from_millis(millis), pause: None }
}

/// Makes calls one after another, `gap` apart, each of which goes as `outcome` says of its address; how many each got.
async fn play(
    instances: &Instances,
    (calls, gap): (usize, Duration),
    outcome: impl Fn(usize) -> (Health, u64),
) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    for _ in 0..calls {
        tokio::time::advance(gap).await;
        let chosen = instances.choose(asking(&Tried::default()), Instant::now()).expect("there are addresses");
        let number = number(&chosen);
        *counts.entry(number).or_default() += 1;
        let (health, millis) = outcome(number);
        chosen.settle(sample(health, millis), Instant::now());
    }
    counts
}

const GAP: Duration = Duration::from_millis(10);

#[tokio::test(start_paused = true)]
async fn turns_and_chance_give_shares_by_weight() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::Random, Algorithm::LeastRequests] {
        let instances = instances(&balance(algorithm), &[1, 3]);
        let counts = play(&instances, (4_000, GAP), |_| (Health::Success, 5)).await;
        // Calls that end before the next begins leave nothing but weights to go by.
        let expected = if algorithm == Algorithm::LeastRequests { 4_000 } else { 3_000 };
        assert!(counts[&1].abs_diff(expected) < 150, "{algorithm:?} {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_gets_few_calls() {
    let instances = instances(&balance(Algorithm::LeastLoaded), &[1, 1, 1]);
    let slow = |number| (Health::Success, if number == 0 { 100 } else { 5 });
    play(&instances, (500, GAP), slow).await;
    let counts = play(&instances, (1_000, GAP), slow).await;
    assert!(counts.get(&0).is_none_or(|count| *count < 100), "{counts:?}");
    assert!(counts[&1] > 300 && counts[&2] > 300, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_is_left_out_and_comes_back_by_one_call() {
    let instances = instances(&balance(Algorithm::RoundRobin), &[1, 1, 1]);
    let broken = |number| (if number == 0 { Health::Hard } else { Health::Success }, 1);
    assert_eq!(play(&instances, (30, GAP), broken).await[&0], 5);
    assert_eq!(play(&instances, (300, GAP), broken).await.get(&0), None);
    tokio::time::advance(EJECT.base).await;
    // One tries it and fails; it is out for twice as long.
    assert_eq!(play(&instances, (300, GAP), broken).await[&0], 1);
    tokio::time::advance(EJECT.base * 2).await;
    let counts = play(&instances, (300, GAP), |_| (Health::Success, 1)).await;
    assert!(counts[&0].abs_diff(100) <= 1, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_tries_and_is_given_up_leaves_the_try_to_another() {
    let instances = instances(&balance(Algorithm::RoundRobin), &[1, 1, 1]);
    play(&instances, (30, GAP), |number| (if number == 0 { Health::Hard } else { Health::Success }, 1)).await;
    tokio::time::advance(EJECT.base).await;
    for _ in 0..3 {
        let chosen = instances.choose(asking(&Tried::default()), Instant::now()).expect("there are addresses");
        assert_eq!(number(&chosen), 0);
        drop(chosen);
    }
}

#[tokio::test(start_paused = true)]
async fn never_are_all_of_them_left_out() {
    for size in 2..6 {
        let instances = instances(&balance(Algorithm::RoundRobin), &vec![1; size]);
        play(&instances, (200, GAP), |_| (Health::Hard, 1)).await;
        let Instances::Several { group, .. } = &instances else { unreachable!("there are several") };
        let out = group.set.load().members.iter().filter(|member| member.is_out()).count();
        assert_eq!(out, EJECT.limit(size));
        assert!(out < size);
    }
}

#[tokio::test(start_paused = true)]
async fn with_fewer_than_half_all_of_them_are_asked() {
    let most = eject::Settings { share: 1.0, ..EJECT };
    let instances = instances(&Balance { eject: Some(most), ..balance(Algorithm::RoundRobin) }, &[1; 3]);
    let counts = play(&instances, (30, GAP), |_| (Health::Hard, 1)).await;
    // After the second was left out, only one would be there for everything.
    assert!(counts.values().all(|count| *count >= 5), "{counts:?}");
    let counts = play(&instances, (300, GAP), |_| (Health::Success, 1)).await;
    assert!(counts.values().all(|count| count.abs_diff(100) <= 1), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn another_attempt_goes_elsewhere() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::Random, Algorithm::LeastRequests, Algorithm::LeastLoaded] {
        let instances = instances(&balance(algorithm), &[1; 4]);
        let tried = Tried::default();
        let mut seen = Vec::new();
        for affinity in [None, Some(7), None, Some(7)] {
            let chosen = instances.choose(Asking { affinity, ..asking(&tried) }, Instant::now());
            seen.push(number(&chosen.expect("there are addresses")));
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3], "{algorithm:?}");
        assert!(instances.choose(asking(&tried), Instant::now()).is_ok(), "a fifth attempt found none");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_agree_go_to_the_same_until_it_is_left_out() {
    let instances = instances(&balance(Algorithm::LeastLoaded), &[1; 5]);
    let of = |key: &str| {
        let tried = Tried::default();
        let asking = Asking { affinity: Some(stable_hash(key.as_bytes())), ..asking(&tried) };
        instances.choose(asking, Instant::now()).expect("there are addresses")
    };
    let home = number(&of("customer-1"));
    assert_eq!(number(&of("customer-1")), home);
    for _ in 0..5 {
        of("customer-1").settle(sample(Health::Hard, 1), Instant::now());
    }
    let elsewhere = number(&of("customer-1"));
    assert_ne!(elsewhere, home);
    assert_eq!(number(&of("customer-1")), elsewhere);
}

#[tokio::test(start_paused = true)]
async fn a_client_stays_where_it_was_while_that_is_available() {
    let sticky = Sticky { cookie: "at".into(), attributes: "".into(), of: "a".into() };
    let balance = Balance { sticky: Some(Arc::new(sticky)), ..balance(Algorithm::RoundRobin) };
    let instances = instances(&balance, &[1; 3]);
    let choose = |anchor: &Anchor, tried: &Tried| {
        let asking = Asking { anchor: Some(anchor), ..asking(tried) };
        instances.choose(asking, Instant::now()).expect("there are addresses")
    };
    let first = Anchor::new(None);
    let home = number(&choose(&first, &Tried::default()));
    assert_eq!(number(&choose(&first, &Tried::default())), home);
    let later = Anchor::new(first.moved());
    let tried = Tried::default();
    assert_eq!(number(&choose(&later, &tried)), home);
    // A further attempt goes elsewhere, which moves nobody.
    assert_ne!(number(&choose(&later, &tried)), home);
    assert_eq!((later.moved(), number(&choose(&later, &Tried::default()))), (None, home));
    let others: HashSet<usize> = (0..3).map(|_| number(&choose(&Anchor::new(None), &Tried::default()))).collect();
    assert_eq!(others.len(), 3, "others take their turns");
    for _ in 0..5 {
        choose(&Anchor::new(first.moved()), &Tried::default()).settle(sample(Health::Hard, 1), Instant::now());
    }
    let elsewhere = number(&choose(&later, &Tried::default()));
    assert_ne!(elsewhere, home);
    assert!(later.moved().is_some() && later.moved() != first.moved());
    assert_eq!(number(&choose(&later, &Tried::default())), elsewhere);
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_back_warms_up() {
    let slowly = Balance { slow_start: Duration::from_secs(60), ..balance(Algorithm::RoundRobin) };
    let instances = instances(&slowly, &[1, 1]);
    play(&instances, (10, GAP), |number| (if number == 0 { Health::Hard } else { Health::Success }, 1)).await;
    tokio::time::advance(EJECT.base).await;
    let first = play(&instances, (100, GAP), |_| (Health::Success, 1)).await;
    assert!(first[&0] < 30, "{first:?}");
    tokio::time::advance(Duration::from_secs(60)).await;
    let then = play(&instances, (100, GAP), |_| (Health::Success, 1)).await;
    assert_eq!(then[&0], 50);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_no_longer_under_way() {
    let instances = instances(&balance(Algorithm::LeastRequests), &[1, 1]);
    let one = instances.choose(asking(&Tried::default()), Instant::now()).expect("there are addresses");
    let other = instances.choose(asking(&Tried::default()), Instant::now()).expect("there are addresses");
    assert_ne!(number(&one), number(&other));
    tokio::time::advance(Duration::from_secs(2)).await;
    drop((one, other));
    for seen in instances.seen() {
        let known = seen.known.expect("it is one of several");
        assert_eq!(known.under_way, 0);
        // It took two seconds at least.
        assert!(known.latency.abs_diff(Duration::from_secs(2)) < Duration::from_millis(1));
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_that_stay_keep_what_is_known_of_them() {
    let instances = instances(&balance(Algorithm::RoundRobin), &[1, 1, 1]);
    play(&instances, (30, GAP), |number| (if number == 0 { Health::Hard } else { Health::Success }, 1)).await;
    let Instances::Several { group, .. } = &instances else { unreachable!("there are several") };
    let under_way = instances.choose(asking(&Tried::default()), Instant::now()).expect("there are addresses");
    group.replace(&[address(0, 1), address(3, 1), address(4, 1)]);
    // The first is still left out, the others are new, and what is under way at one that left ends as it would.
    let counts = play(&instances, (100, GAP), |_| (Health::Success, 1)).await;
    assert_eq!((counts.get(&0), counts[&3], counts[&4]), (None, 50, 50));
    under_way.settle(sample(Health::Success, 5), Instant::now());
    group.replace(&[]);
    assert!(instances.choose(asking(&Tried::default()), Instant::now()).is_err());
}
