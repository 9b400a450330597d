//! The reference of the language is complete and agrees with the table of what is not supported.

use crate::spec::{FieldDoc, NOT_SUPPORTED_KEYS, ObjectDoc, Shape, Spec};

#[test]
fn the_table_names_types_of_the_language_and_each_key_once() {
    let mut objects = Vec::new();
    collect(Spec::fields(), &mut objects);
    for (object, keys) in NOT_SUPPORTED_KEYS {
        assert!(*object == "Spec" || objects.iter().any(|doc| doc.name == *object), "{object}");
        let again = keys.iter().enumerate().find(|(at, key)| keys[..*at].contains(*key));
        assert_eq!(again, None, "{object}");
    }
}

#[test]
fn every_key_of_the_language_is_described() {
    let mut objects = Vec::new();
    collect(Spec::fields(), &mut objects);
    assert!(objects.len() > 20, "{}", objects.len());
    for object in &objects {
        assert!(object.description().ends_with('.'), "{}", object.name);
        for field in object.fields.iter() {
            assert!(field.description().ends_with('.'), "{}.{}", object.name, field.key);
        }
    }
}

fn collect(fields: &[FieldDoc], objects: &mut Vec<ObjectDoc>) {
    for field in fields {
        collect_shape(&(field.shape)(), objects);
    }
}

fn collect_shape(shape: &Shape, objects: &mut Vec<ObjectDoc>) {
    match shape {
        Shape::List(inner) | Shape::Map(inner) => collect_shape(inner, objects),
        Shape::OneOf(shapes) => shapes.iter().for_each(|shape| collect_shape(shape, objects)),
        Shape::Object(doc) | Shape::Beside(doc) => collect_object(doc, objects),
        _ => {}
    }
}

fn collect_object(doc: &ObjectDoc, objects: &mut Vec<ObjectDoc>) {
    if objects.iter().any(|known| known.name == doc.name) {
        return;
    }
    objects.push(*doc);
    collect(doc.fields, objects);
    doc.alternatives.iter().for_each(|doc| collect_object(doc, objects));
}
