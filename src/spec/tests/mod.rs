//! What reading composition files promises, claim by claim.

mod folder;
mod mistakes;
mod reading;
mod reference;
