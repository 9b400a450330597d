//! What a name that does not exist was probably meant to be.

/// Names that a help sentence lists at most.
const LISTED: usize = 12;

/// "did you mean `x`?" where a known name is near, else the names that there are.
pub(super) fn advice<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(wrong, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    known.sort_unstable();
    match known.len() {
        0 => String::new(),
        count if count <= LISTED => format!("known here: {}", known.join(", ")),
        count => format!("known here: {} and {} more", known[..LISTED].join(", "), count - LISTED),
    }
}

/// The known name with the fewest edits, if those are few for the name's length.
pub(super) fn nearest<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let length = wrong.chars().count();
    let allowed = length / 3 + 1;
    let near = known.into_iter().map(|name| (edits(wrong, name), name)).filter(|(edits, _)| *edits <= allowed);
    near.filter(|(edits, _)| *edits < length).min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// Letters to insert, remove or change (Levenshtein distance, one row at a time); case is free.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (before, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = before + 1;
        for (at, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(!letter.eq_ignore_ascii_case(other));
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn a_near_name_is_suggested_and_far_ones_are_listed() {
        assert_eq!(advice("prodcut", ["product", "seller"]), "did you mean `product`?");
        assert_eq!(advice("startswith", ["startsWith", "endsWith"]), "did you mean `startsWith`?");
        assert_eq!(advice("zzz", ["seller", "args"]), "known here: args, seller");
        assert_eq!(advice("x", ["y"]), "known here: y");
        assert_eq!(advice("x", []), "");
    }
}
