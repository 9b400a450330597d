//! Paths of calls against path templates of contracts.

/// A piece of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as written.
    Text(String),
    /// In a template the parameter with this name, in a call the expression with this text.
    Value(String),
}

/// What stands between two slashes of a path.
pub type Segment = Vec<Piece>;

/// A parameter of a template and the expression of a call that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The name of the parameter.
    pub parameter: String,
    /// What stands there in the call.
    pub value: Piece,
}

/// How a template fits a path.
#[derive(Debug)]
pub(super) struct Match {
    /// Segments that are parameters: fewer fit better.
    pub(super) parameters: usize,
    pub(super) bound: Vec<Bound>,
}

/// The segments of pieces that follow one another.
pub fn segments(pieces: impl IntoIterator<Item = Piece>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                for (index, part) in text.split('/').enumerate() {
                    if index > 0 || segments.is_empty() {
                        segments.push(Segment::new());
                    }
                    if let (Some(segment), false) = (segments.last_mut(), part.is_empty()) {
                        segment.push(Piece::Text(part.to_owned()));
                    }
                }
            }
            value => match segments.last_mut() {
                Some(segment) => segment.push(value),
                None => segments.push(vec![value]),
            },
        }
    }
    // What stands before the first slash is nothing.
    if segments.first().is_some_and(Vec::is_empty) {
        segments.remove(0);
    }
    segments
}

/// The segments of a template such as `/products/{id}.json`.
pub(super) fn template(text: &str) -> Vec<Segment> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Value(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    segments(pieces)
}

/// How a template fits a path; `None` if it does not.
pub(super) fn matched(template: &[Segment], target: &[Segment]) -> Option<Match> {
    if template.len() != target.len() {
        return None;
    }
    let mut found = Match { parameters: 0, bound: Vec::new() };
    for (template, target) in template.iter().zip(target) {
        match (&template[..], &target[..]) {
            (template, target) if template == target => {}
            ([Piece::Value(parameter)], [value]) => {
                found.parameters += 1;
                found.bound.push(Bound { parameter: parameter.clone(), value: value.clone() });
            }
            ([Piece::Value(_)], [_, ..]) => found.parameters += 1,
            (template, target) if !template.is_empty() && fits(template, target) => found.parameters += 1,
            _ => return None,
        }
    }
    Some(found)
}

/// Whether a segment with parameters and text takes one with values and text: each text of the template
/// stands in the segment, in order, with something between them.
fn fits(template: &[Piece], target: &[Piece]) -> bool {
    if !template.iter().any(|piece| matches!(piece, Piece::Value(_))) {
        return false;
    }
    let text = shown_segment(target);
    let mut rest = text.as_str();
    let mut gap = false;
    for piece in template {
        match piece {
            Piece::Value(_) => gap = true,
            Piece::Text(part) => {
                let Some(at) = rest.get(usize::from(gap)..).and_then(|after| after.find(part.as_str())) else {
                    return false;
                };
                if !gap && at > 0 {
                    return false;
                }
                rest = &rest[at + usize::from(gap) + part.len()..];
                gap = false;
            }
        }
    }
    gap != rest.is_empty()
}

/// A path as text in which every value looks alike, to find the template that was meant.
pub(super) fn shown(segments: &[Segment]) -> String {
    segments.iter().map(|segment| format!("/{}", shown_segment(segment))).collect()
}

fn shown_segment(segment: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(_) => "{}".to_owned(),
    };
    segment.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::{Piece, matched, segments, template};

    fn target(text: &str) -> Vec<super::Segment> {
        template(text)
    }

    #[test]
    fn paths_fit_templates_segment_by_segment() {
        for (pattern, path, parameters) in [
            ("/products", "/products", Some(0)),
            ("/products/{id}", "/products/{x}", Some(1)),
            ("/products/{id}", "/products/7", Some(1)),
            ("/products/{id}", "/products/p-{x}", Some(1)),
            ("/products/{id}.json", "/products/{x}.json", Some(1)),
            ("/{a}-{b}/x", "/{c}-{d}/x", Some(1)),
            ("/products/{id}.json", "/products/{x}", None),
            ("/products/{id}", "/products", None),
            ("/products/{id}", "/products/{x}/page", None),
            ("/products/list", "/products/{x}", None),
            ("/", "/", Some(0)),
        ] {
            let found = matched(&template(pattern), &target(path)).map(|found| found.parameters);
            assert_eq!(found, parameters, "{pattern} {path}");
        }
    }

    #[test]
    fn a_value_is_bound_to_the_parameter_in_its_place() {
        let found = matched(&template("/a/{id}/b"), &target("/a/{args.x}/b")).expect("it fits");
        let bound: Vec<_> = found.bound.iter().map(|bound| (bound.parameter.as_str(), &bound.value)).collect();
        assert_eq!(bound, [("id", &Piece::Value("args.x".to_owned()))]);
    }

    #[test]
    fn pieces_become_segments_at_slashes() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let value = Piece::Value("x".to_owned());
        let pieces = [text("/a/b"), value.clone(), text("/")];
        assert_eq!(segments(pieces), [vec![text("a")], vec![text("b"), value], vec![]]);
    }
}
