//! What a body or an answer is: a type by its name, or a JSON Schema.

use crate::base::diagnostic::Place;
use crate::spec::keys::{Entries, FromNode, Keys, Reader, Shape, keys};
use crate::spec::yaml::{Kind, Node};

use super::{Located, Size};

/// What an upload is called.
const UPLOAD: &str = "Upload";

/// What a body or an answer is.
#[derive(Clone, Debug)]
pub enum TypeUse {
    /// The name of a type of the schema, of a proto message, or `JSON` for any, as written: `"[LineInput!]!"`.
    Named(Located<String>),
    /// A JSON Schema.
    Schema(SchemaUse),
    /// Bytes of any kind, which are passed on as they come.
    Upload(UploadUse),
}

keys! {
    /// A JSON Schema, written here or in a file of the project.
    pub struct SchemaUse: "a JSON Schema", as in "{ schema: \"schema/order.schema.json#/definitions/Order\" }" {
        /// The schema itself, or the file that holds it, with a JSON pointer into the file behind `#`.
        schema: SchemaSource,
    }
}

keys! {
    /// Bytes of any kind, which are passed on as they come.
    pub struct UploadUse: "an upload", as in "{ type: Upload, max: 100MB }" {
        /// `Upload`.
        type_name: Located<String> = "type",
        /// The part of a form (`multipart/form-data`) that it is; without it, the whole body.
        part: Option<Located<String>>,
        /// How large it may be; must be said.
        max: Option<Located<Size>>,
    }
    then UploadUse::check
}

/// Where a JSON Schema stands.
#[derive(Clone, Debug)]
pub enum SchemaSource {
    /// In a file of `schema/`: `schema/order.schema.json#/definitions/Order`.
    File(Located<String>),
    /// Here.
    Here(Node),
}

impl TypeUse {
    /// Where it is written.
    pub fn place(&self) -> &Place {
        match self {
            Self::Named(name) => &name.place,
            Self::Schema(SchemaUse { schema: SchemaSource::File(file), .. }) => &file.place,
            Self::Schema(SchemaUse { schema: SchemaSource::Here(node), .. }) => &node.place,
            Self::Upload(upload) => &upload.place,
        }
    }
}

impl FromNode for TypeUse {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Text, Shape::Object(&SchemaUse::DOC), Shape::Object(&UploadUse::DOC)])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.member("schema").is_none() && node.member("type").is_some() {
            return UploadUse::read(node, reader).map(Self::Upload);
        }
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.text() == Some(UPLOAD)
        {
            return Entries::read(&node.under("type"), None, reader).map(Self::Upload);
        }
        match &node.kind {
            Kind::Mapping(_) => SchemaUse::read(node, reader).map(Self::Schema),
            Kind::Sequence(_) => {
                let diagnostic = reader
                    .error("yaml-quotes", &node.place, "without quotes YAML reads this type as a list")
                    .help("quote it, as in `\"[ID!]!\"`");
                reader.report(diagnostic);
                None
            }
            Kind::Scalar(_) => Located::read(node, reader).map(Self::Named),
        }
    }
}

impl UploadUse {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        if self.type_name.value != UPLOAD {
            let message = format!("only an upload is written with its `type`, and this is `{}`", self.type_name.value);
            let help = format!("write `Upload`, or only the name: `{}`", self.type_name.value);
            reader.report(reader.error("wrong-type", &self.type_name.place, message).help(help));
            return;
        }
        if entries.written("max").is_none() {
            let diagnostic = reader.error("missing-key", &self.place, "an upload needs `max`");
            reader.report(diagnostic.help("write it as in `{ type: Upload, max: 100MB }`"));
        }
    }
}

impl FromNode for SchemaSource {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Text, Shape::Schema])
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text().is_some() => Located::read(node, reader).map(Self::File),
            Kind::Sequence(_) => {
                reader.expected("a JSON Schema, or the file that holds one", node);
                None
            }
            _ => Some(Self::Here(node.clone())),
        }
    }
}
