//! The rules beside the tables name types and keys that the tables have.

use crate::spec::keys::{Keys, ObjectDoc, Shape};
use crate::spec::model::Spec;

use super::rules::{FORMS, GUARD, NOT_IN_ALTERNATIVE, RULES, Rule, SHORT};

#[test]
fn rules_name_types_and_keys_of_the_language() {
    let mut named: Vec<(&str, &str)> = FORMS.iter().map(|(object, key, _)| (*object, *key)).collect();
    named.extend(SHORT);
    named.push(("Step", GUARD.2));
    for (object, rules) in RULES {
        let keys = rules.iter().flat_map(|rule| match rule {
            Rule::ExactlyOne(keys) | Rule::AtLeastOne(keys) => keys.to_vec(),
            Rule::Needs(key, other) => vec![*key, *other],
            Rule::Excludes(key, others) => [&[*key], *others].concat(),
        });
        named.extend(keys.map(|key| (*object, key)));
    }
    for (object, _, keys) in NOT_IN_ALTERNATIVE {
        named.extend(keys.iter().map(|key| (*object, *key)));
    }
    let objects = objects();
    for (object, key) in named {
        let doc = objects.iter().find(|doc| doc.name == object).expect(object);
        assert!(has(doc, key), "{object}.{key}");
    }
    for (_, alternative, _) in NOT_IN_ALTERNATIVE.iter().filter(|(_, name, _)| *name != GUARD.0) {
        assert!(objects.iter().any(|doc| doc.alternatives.iter().any(|one| one.name == *alternative)), "{alternative}");
    }
}

/// Whether a type has a key, or one of the groups in it does.
fn has(doc: &ObjectDoc, key: &str) -> bool {
    doc.alternatives.iter().any(|doc| has(doc, key))
        || doc.fields.iter().any(|field| match (field.shape)() {
            Shape::Beside(group) => has(group, key),
            _ => field.key == key,
        })
}

fn objects() -> Vec<&'static ObjectDoc> {
    let mut objects = Vec::new();
    collect(&Shape::Object(&Spec::DOC), &mut objects);
    objects
}

fn collect(shape: &Shape, objects: &mut Vec<&'static ObjectDoc>) {
    match shape {
        Shape::List(inner) | Shape::Map(inner) => collect(inner, objects),
        Shape::OneOf(shapes) => shapes.iter().for_each(|shape| collect(shape, objects)),
        Shape::Object(doc) | Shape::Beside(doc) if objects.iter().all(|known| known.name != doc.name) => {
            objects.push(doc);
            doc.fields.iter().for_each(|field| collect(&(field.shape)(), objects));
            doc.alternatives.iter().for_each(|doc| collect(&Shape::Object(doc), objects));
        }
        _ => {}
    }
}
