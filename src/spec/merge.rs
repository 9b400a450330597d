//! All composition files as one: sections of the same name are joined, names stay unique, and a profile says
//! again what it changes.

use crate::base::diagnostic::Place;

use super::keys::{Entries, Reader};
use super::model::{Located, Spec};
use super::yaml::{Kind, Node, later_of_equal_keys, leave_out};

/// What the trees of all files say, and over it those of the profile's files. Sections and definitions are in the
/// order of the files.
pub(super) fn read_merged(base: Vec<Node>, profile: Vec<Node>, reader: &mut Reader<'_>) -> Option<Spec> {
    let place = base.first().or(profile.first())?.place.clone();
    let mut sections = joined(base, reader);
    overlay(&mut sections, joined(profile, reader));
    add_empty_gateway(&mut sections, &place);
    Entries::read(&Node { place, kind: Kind::Mapping(sections) }, None, reader)
}

/// The sections of some files, in which every name is defined once.
fn joined(roots: Vec<Node>, reader: &mut Reader<'_>) -> Vec<(Located<String>, Node)> {
    let mut sections: Vec<(Located<String>, Node)> = Vec::new();
    for root in roots {
        let Kind::Mapping(pairs) = root.kind else {
            reader.expected("sections such as `backends`, `parts`, `endpoints`, `graph`, `gateway`", &root);
            continue;
        };
        for (name, node) in pairs {
            add_section(&mut sections, name, node, reader);
        }
    }
    for (name, node) in &mut sections {
        // The same key may be two endpoints, which hosts tell apart.
        if name.value != "endpoints"
            && let Kind::Mapping(pairs) = &mut node.kind
        {
            reader.within(&name.value, |reader| refuse_second_definitions(pairs, reader));
        }
    }
    sections
}

/// Says again what `over` says: mappings member by member, anything else as a whole. What is new comes last.
fn overlay(pairs: &mut Vec<(Located<String>, Node)>, over: Vec<(Located<String>, Node)>) {
    for (name, node) in over {
        let Some(at) = meant(pairs, (&name, &node)) else {
            pairs.push((name, node));
            continue;
        };
        let earlier = &mut pairs[at];
        match (&mut earlier.1.kind, node.kind) {
            (Kind::Mapping(members), Kind::Mapping(over)) => overlay(members, over),
            (_, kind) => *earlier = (name, Node { kind, place: node.place }),
        }
    }
}

/// The entry that is said again: the one of this name; of endpoints that only hosts tell apart, the one of this
/// host.
fn meant(pairs: &[(Located<String>, Node)], (name, node): (&Located<String>, &Node)) -> Option<usize> {
    let alike: Vec<usize> = (0..pairs.len()).filter(|at| pairs[*at].0.value == name.value).collect();
    match alike.len() {
        0 | 1 => alike.first().copied(),
        _ => alike.into_iter().find(|at| hosts(&pairs[*at].1) == hosts(node)),
    }
}

/// What `host` says in the mapping of an endpoint.
fn hosts(endpoint: &Node) -> Vec<&str> {
    let Some(host) = endpoint.member("host") else { return Vec::new() };
    fn text(node: &Node) -> Option<&str> {
        let Kind::Scalar(scalar) = &node.kind else { return None };
        scalar.text()
    }
    match &host.kind {
        Kind::Sequence(items) => items.iter().filter_map(text).collect(),
        _ => text(host).into_iter().collect(),
    }
}

fn add_section(
    sections: &mut Vec<(Located<String>, Node)>,
    name: Located<String>,
    node: Node,
    reader: &mut Reader<'_>,
) {
    let Some((_, earlier)) = sections.iter_mut().find(|(earlier, _)| earlier.value == name.value) else {
        sections.push((name, node));
        return;
    };
    match (&mut earlier.kind, node.kind) {
        (Kind::Mapping(earlier), Kind::Mapping(pairs)) => earlier.extend(pairs),
        (Kind::Mapping(_), kind) => {
            let node = Node { kind, place: node.place };
            reader.within(&name.value, |reader| reader.expected("a mapping", &node));
        }
        // What is there already is wrong, and reading it says so.
        (_, _) => {}
    }
}

/// Leaves the first definition of each name; says where a name is defined again.
fn refuse_second_definitions(pairs: &mut Vec<(Located<String>, Node)>, reader: &mut Reader<'_>) {
    let again = later_of_equal_keys(pairs);
    for (later, first) in &again {
        let (later, first) = (&pairs[*later].0, &pairs[*first].0);
        reader.within(&later.value, |reader| {
            let diagnostic = reader
                .error("defined-twice", &later.place, format!("`{}` is defined twice", later.value))
                .help("leave one of them out, or give it another name")
                .related(first.place.clone(), "first defined here");
            reader.report(diagnostic);
        });
    }
    leave_out(pairs, &again);
}

/// Every project has a gateway, written or not.
fn add_empty_gateway(sections: &mut Vec<(Located<String>, Node)>, place: &Place) {
    if sections.iter().all(|(name, _)| name.value != "gateway") {
        let name = Located { value: "gateway".to_owned(), place: place.clone() };
        sections.push((name, Node { place: place.clone(), kind: Kind::Mapping(Vec::new()) }));
    }
}
