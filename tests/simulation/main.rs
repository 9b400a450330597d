//! The whole gateway in a simulated network: clients, gateway and backends are hosts of it, and its time is nobody's.
//!
//! A *game* is a number. It decides what clients ask and when, how backends behave, and what becomes of the network:
//! delays, losses, partitions, crashes. While it is played, and at its end, what must hold whatever happens is judged.
//!
//! `SIMULATION_SEED=17 cargo test --test simulation` plays one game and tells it; `SIMULATION_GAMES=100000` plays so many.

mod backend;
mod client;
mod game;
mod grpc;
mod judge;
mod network;
mod play;
mod project;

#[path = "../it/http1.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod http1;

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use game::Game;

/// Games that every run of the tests plays.
const GAMES: u64 = 1_000;

#[test]
fn no_network_breaks_a_promise() -> Result<(), String> {
    if let Some(seed) = number("SIMULATION_SEED")? {
        print(&play::play(&Game::new(seed))?);
        return Ok(());
    }
    let (games, next) = (number("SIMULATION_GAMES")?.unwrap_or(GAMES), AtomicU64::new(1));
    let plays = || {
        let mut lost = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > games {
                return lost;
            }
            let played = catch_unwind(|| play::play(&Game::new(seed)));
            if let Err(why) = played.unwrap_or_else(|_| Err("a host panics".to_owned())) {
                lost.push(format!("SIMULATION_SEED={seed}: {why}"));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let lost: Vec<String> = thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(plays)).collect();
        players.into_iter().flat_map(|player| player.join().expect("a player outlives its games")).collect()
    });
    match lost.is_empty() {
        true => Ok(()),
        false => Err(format!("{} of {games} games are lost:\n{}", lost.len(), lost.join("\n"))),
    }
}

#[test]
fn a_seed_is_one_game() -> Result<(), String> {
    for seed in [3, 14, 159] {
        let (one, other) = (play::play(&Game::new(seed))?, play::play(&Game::new(seed))?);
        assert_eq!(one, other, "game {seed}");
    }
    Ok(())
}

fn number(variable: &str) -> Result<Option<u64>, String> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{variable} is a number, not {text:?}"))
}

#[allow(clippy::print_stdout, reason = "it is asked for")]
fn print(told: &[String]) {
    println!("{}", told.join("\n"));
}
