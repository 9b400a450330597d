//! The backends as clients see them: over real sockets.

mod client;
mod contract;
mod inventory;
mod rest;
mod reviews;
mod start;
