//! A store that is shared with others, and does not answer.

use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] =
    &[row!(61, "Redis: refuses, hangs, loads, drops", unseen, needs: &[Layer::SharedLimits])];

async fn unseen(_: &mut Scene) -> Result<Vec<Bar>, String> {
    Ok(vec![Bar::not_yet(("everything", ""), "the kit has no Redis")])
}
