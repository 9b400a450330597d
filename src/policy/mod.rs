//! What may stand around a backend call, and around a client's request (`overload`): one file for each policy, none of
//! which knows another.
//!
//! Each has its settings as checked, its state as it runs, and what a call holds of it while it is under way. Time is
//! handed in, so that tests need no clock. [`crate::call`] puts them into their order.

pub mod affinity;
pub mod balance;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod cache;
pub mod eject;
pub mod flight;
pub mod health;
pub mod hedge;
pub mod http_cache;
pub mod latency;
pub mod outlook;
pub mod overload;
pub mod retry;
pub mod verdict;
