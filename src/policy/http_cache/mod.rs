//! The HTTP cache: which replies a shared cache may keep, for whom they serve, and for how long (RFC 9111).
//!
//! Beside it RFC 5861 (`stale-while-revalidate`, `stale-if-error`), RFC 9213 (`CDN-Cache-Control`) and RFC 9211
//! (`Cache-Status`). Nothing here asks anybody, and time is handed in: [`Asked`] is what a request wants, [`Stored`] a
//! reply that is kept, [`Store`] where it is kept. Whoever makes calls puts them together.
//!
//! **Invariants:** a reply to a request with credentials, and one that sets cookies, is kept only if it says itself that it
//! is everybody's. A part of a reply is never kept.

mod asked;
mod conditional;
mod directives;
mod freshness;
mod invalidation;
mod served;
mod status;
mod store;
mod stored;

pub use asked::{Asked, Use};
pub use invalidation::invalidated;
pub use served::{Served, served};
pub use status::{Forwarded, Kept, status_field};
pub use store::{Found, Key, Store};
pub use stored::{Came, Stored, is_storable};

#[cfg(test)]
mod tests;
