//! More than the machine can do.

use crate::case::{Bar, Case, row};
use crate::fixture::Layer;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(72, "128 MiB of memory and large bodies", unseen, needs: &[Layer::Priority]),
    row!(92, "three times what can be done, of mixed classes", unseen, needs: &[Layer::Priority]),
];

async fn unseen(_: &mut Scene) -> Result<Vec<Bar>, String> {
    Ok(vec![Bar::not_yet(("everything", ""), "the kit has no load of several classes")])
}
