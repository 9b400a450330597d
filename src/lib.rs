//! Selvedge
pub mod base;
