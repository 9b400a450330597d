//! How the types of the language are read: one table per type makes the struct, its reader, the
//! list of allowed keys, and the reference.
//!
//! A type is declared with `keys!` (a mapping with known keys) or `words!` (one of some words):
//!
//! ```text
//! keys! {
//!     /// What it is, for the manual.
//!     pub struct Admin: "the admin address", as in "{ listen: 127.0.0.1:9090 }" {
//!         /// What the key means, for the manual.
//!         listen: Scalar,                          // required, the key is the field's name
//!         path: Option<Located<String>> = "url",   // optional, another key
//!         calls: Calls = ..,                       // its keys stand here among the others
//!     }
//!     then Admin::check                            // structural rules of the whole: fn(&Admin, &Entries, &mut Reader)
//! }
//! ```
//!
//! After the example may stand `, or Admin::short`: what a value that is no mapping means.

mod definition;
mod entries;
mod reader;
mod scalars;
mod shape;

pub(in crate::spec) use definition::{Definition, define};
pub(in crate::spec) use entries::Entries;
pub(in crate::spec) use reader::Reader;
pub(in crate::spec) use scalars::FromScalar;
pub use shape::{FieldDoc, Form, ObjectDoc, Shape};

use super::yaml::Node;

/// A type that a key of a composition file can hold.
pub(in crate::spec) trait FromNode: Sized {
    /// Whether its key must be written.
    const REQUIRED: bool = true;

    /// What to write, for the reference.
    fn shape() -> Shape;

    /// Reads it. `None` when it cannot be read; then the reader has been told why.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// What it is when its key is not written; `None` when it must be.
    fn absent() -> Option<Self> {
        None
    }
}

/// A type that is made of several keys of one mapping.
pub(in crate::spec) trait Keys: Sized {
    /// The reference of these keys.
    const DOC: ObjectDoc;

    /// Takes its keys. `None` when it cannot be made; then the reader has been told why.
    fn take(entries: &mut Entries<'_>, reader: &mut Reader<'_>) -> Option<Self>;
}

impl<T: FromNode> FromNode for Option<T> {
    const REQUIRED: bool = false;

    fn shape() -> Shape {
        T::shape()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// Declares a mapping with known keys; see the head of this module.
macro_rules! keys {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident: $title:literal, as in $example:literal $(, or $short:path)? {
            $($(#[doc = $field_doc:literal])* $field:ident: $type:ty $(= $key:tt)?,)*
        }
        $(then $check:path)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
            /// Where the whole is written.
            pub place: $crate::base::diagnostic::Place,
        }

        impl $name {
            /// The reference of its keys.
            pub fn fields() -> &'static [$crate::spec::keys::FieldDoc] {
                <Self as $crate::spec::keys::Keys>::DOC.fields
            }
        }

        impl $crate::spec::keys::Keys for $name {
            const DOC: $crate::spec::keys::ObjectDoc = $crate::spec::keys::ObjectDoc {
                name: stringify!($name),
                title: $title,
                doc: concat!($($doc, "\n"),*),
                example: $example,
                fields: &[$($crate::spec::keys::field_doc!(
                    concat!($($field_doc, "\n"),*), $type, $field $(= $key)?
                ),)*],
                alternatives: &[],
            };

            fn take(
                entries: &mut $crate::spec::keys::Entries<'_>,
                reader: &mut $crate::spec::keys::Reader<'_>,
            ) -> Option<Self> {
                entries.allow(&Self::DOC);
                $(let $field = $crate::spec::keys::take_field!(entries, reader, $type, $field $(= $key)?);)*
                let whole = Self { $($field: $field?,)* place: entries.place().clone() };
                $($check(&whole, entries, reader);)?
                Some(whole)
            }
        }

        impl $crate::spec::keys::FromNode for $name {
            fn shape() -> $crate::spec::keys::Shape {
                $crate::spec::keys::Shape::Object(&<Self as $crate::spec::keys::Keys>::DOC)
            }

            fn read(node: &$crate::spec::yaml::Node, reader: &mut $crate::spec::keys::Reader<'_>) -> Option<Self> {
                $(if !node.is_mapping() {
                    return $short(node, reader);
                })?
                $crate::spec::keys::Entries::read(node, None, reader)
            }
        }
    };
}

/// The reference of one field; part of `keys!`.
macro_rules! field_doc {
    ($doc:expr, $type:ty, $field:ident = ..) => {
        $crate::spec::keys::FieldDoc {
            key: "",
            doc: $doc,
            required: false,
            shape: || $crate::spec::keys::Shape::Beside(&<$type as $crate::spec::keys::Keys>::DOC),
        }
    };
    ($doc:expr, $type:ty, $field:ident $(= $key:literal)?) => {
        $crate::spec::keys::FieldDoc {
            key: $crate::spec::keys::key!($field $(= $key)?),
            doc: $doc,
            required: <$type as $crate::spec::keys::FromNode>::REQUIRED,
            shape: <$type as $crate::spec::keys::FromNode>::shape,
        }
    };
}

/// The key of one field; part of `keys!`.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident = $key:literal) => {
        $key
    };
}

/// Reads one field; part of `keys!`.
macro_rules! take_field {
    ($entries:ident, $reader:ident, $type:ty, $field:ident = ..) => {
        <$type as $crate::spec::keys::Keys>::take($entries, $reader)
    };
    ($entries:ident, $reader:ident, $type:ty, $field:ident $(= $key:literal)?) => {
        $entries.field::<$type>($crate::spec::keys::key!($field $(= $key)?), $reader)
    };
}

/// Declares a type that is one of some words.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $($(#[doc = $word_doc:literal])* $variant:ident = $word:literal,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $word_doc])* $variant,)*
        }

        impl $name {
            /// The words, in the order of the table.
            pub const WORDS: &[&str] = &[$($word,)*];

            /// The word, as composition files write it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl $crate::spec::keys::FromScalar for $name {
            fn shape() -> $crate::spec::keys::Shape {
                $crate::spec::keys::Shape::Word(Self::WORDS)
            }

            fn from_scalar(
                scalar: &$crate::spec::yaml::Scalar,
                reader: &mut $crate::spec::keys::Reader<'_>,
            ) -> Option<Self> {
                match reader.word(scalar, Self::WORDS)? {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

pub(in crate::spec) use {field_doc, key, keys, take_field, words};
