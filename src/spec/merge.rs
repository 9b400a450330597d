//! All composition files as one: sections of the same name are joined, names stay unique.

use crate::base::diagnostic::Place;

use super::keys::{Entries, Reader};
use super::model::{Located, Spec};
use super::yaml::{Kind, Node, later_of_equal_keys};

/// What the trees of all files say. Sections and definitions are in the order of the files.
pub(super) fn read_merged(roots: Vec<Node>, reader: &mut Reader<'_>) -> Option<Spec> {
    let place = roots.first()?.place.clone();
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
        if let Kind::Mapping(pairs) = &mut node.kind {
            reader.within(&name.value, |reader| refuse_second_definitions(pairs, reader));
        }
    }
    add_empty_gateway(&mut sections, &place);
    Entries::read(&Node { place, kind: Kind::Mapping(sections) }, None, reader)
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
    for (later, _) in again.into_iter().rev() {
        pairs.remove(later);
    }
}

/// Every project has a gateway, written or not.
fn add_empty_gateway(sections: &mut Vec<(Located<String>, Node)>, place: &Place) {
    if sections.iter().all(|(name, _)| name.value != "gateway") {
        let name = Located { value: "gateway".to_owned(), place: place.clone() };
        sections.push((name, Node { place: place.clone(), kind: Kind::Mapping(Vec::new()) }));
    }
}
