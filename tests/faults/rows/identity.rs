//! Keys of those who issue tokens, and what cannot be had of them.

use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(56, "JWKS: down after it was read", unseen, needs: &[Layer::Tokens]),
    row!(57, "JWKS: down at start", unseen, needs: &[Layer::Tokens]),
    row!(58, "JWKS: tokens of keys that nobody has", unseen, needs: &[Layer::Tokens]),
    row!(60, "JWKS: keys change under load", unseen, needs: &[Layer::Tokens]),
];

async fn unseen(_: &mut Scene) -> Result<Vec<Bar>, String> {
    Ok(vec![Bar::not_yet(("everything", ""), "the kit has no issuer of tokens")])
}
