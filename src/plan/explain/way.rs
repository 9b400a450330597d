//! What a step is called from where one stands.
//!
//! A *way* is a step's name after the names of the blocks around it: `card.price.prices`. From inside
//! a block the names of that block and of those around it are enough.

/// What stands between the names of a block and of a step inside it, seen from outside.
const INTO: &str = " › ";

/// What a way is called from inside the block `from` (empty for the outermost). `exists` says which
/// ways there are: a name that also stands for something nearer is marked as an outer one.
pub(super) fn seen(way: &str, from: &str, exists: &dyn Fn(&str) -> bool) -> String {
    let mut block = from;
    while !block.is_empty() && !is_inside(way, block) {
        block = parent(block);
    }
    let rest = if block.is_empty() { way } else { &way[block.len() + 1..] };
    let first = rest.split('.').next().unwrap_or(rest);
    let mut nearer = from;
    let mut hidden = false;
    while nearer.len() > block.len() {
        hidden |= exists(&format!("{nearer}.{first}"));
        nearer = parent(nearer);
    }
    let name = rest.replace('.', INTO);
    if hidden { format!("outer {name}") } else { name }
}

/// The way of the block around a way; empty at the outermost.
pub(super) fn parent(way: &str) -> &str {
    way.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Whether a way leads into a block.
fn is_inside(way: &str, block: &str) -> bool {
    way.strip_prefix(block).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::seen;

    const WAYS: &[&str] =
        &["product", "card", "card.product", "card.price", "card.price.prices", "seller", "seller.seller"];

    fn name(way: &str, from: &str) -> String {
        seen(way, from, &|known| WAYS.contains(&known))
    }

    #[test]
    fn a_name_is_as_long_as_it_must_be() {
        assert_eq!(name("product", ""), "product");
        assert_eq!(name("card.price.prices", ""), "card › price › prices");
        assert_eq!(name("card.price.prices", "card"), "price › prices");
        assert_eq!(name("card.price.prices", "card.price"), "prices");
        assert_eq!(name("card.product", "card.price"), "product");
        assert_eq!(name("seller", "card"), "seller");
    }

    #[test]
    fn a_name_that_something_nearer_bears_is_an_outer_one() {
        assert_eq!(name("product", "card"), "outer product");
        assert_eq!(name("product", "card.price"), "outer product");
        assert_eq!(name("seller", "seller"), "outer seller");
        assert_eq!(name("seller.seller", "seller"), "seller");
    }
}
