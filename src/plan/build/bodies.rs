//! What bodies of requests are: types of the schema, proto messages, JSON Schemas.

use std::rc::Rc;
use std::sync::Arc;

use super::{Planner, types};
use crate::expr::Type;
use crate::plan::BodyType;
use crate::plan::contract::schema::{Reader, SchemaId, Schemas, type_of};
use crate::plan::contract::{Document, Spot, sort_of};
use crate::plan::schema::{TypeKind, TypeRef};
use crate::spec::{Located, NOT_SUPPORTED_YET, SchemaSource, SchemaUse, TypeUse};

impl Planner<'_> {
    /// What a body is, and the type of `args.body`.
    pub(super) fn body_type(&self, body: &TypeUse, path: &str) -> (BodyType, Type) {
        let path = format!("{path}.body");
        match body {
            TypeUse::Named(name) => self.named_body(name, &path),
            TypeUse::Upload(upload) => {
                let part = upload.part.as_ref().map(|part| part.value.as_str().into());
                (BodyType::Upload { part }, types::of_upload())
            }
            TypeUse::Schema(written) => match self.json_schema(written, "the body", &path) {
                Some((schemas, id)) => {
                    let ty = type_of(&schemas, id);
                    (BodyType::JsonSchema { schemas, id }, ty)
                }
                None => (BodyType::Any, Type::Dyn),
            },
        }
    }

    fn named_body(&self, name: &Located<String>, path: &str) -> (BodyType, Type) {
        if name.value.trim_end_matches('!') == "JSON" && self.schema.type_named("JSON").is_none() {
            return (BodyType::Any, Type::Dyn);
        }
        if let Some(message) = self.message_named(name.value.trim_end_matches('!')) {
            let body = match message.full_name() {
                types::HTTP_BODY => BodyType::HttpBody,
                _ => BodyType::Message(message.clone()),
            };
            return (body, types::of_message(message));
        }
        let Some(ty) = self.type_ref(name, path) else { return (BodyType::Any, Type::Dyn) };
        let required = if ty.is_non_null() { ty } else { TypeRef::NonNull(Box::new(ty)) };
        let known = types::of_schema(&self.schema, &required);
        let is_input = matches!(&required, TypeRef::NonNull(inner) if inner.item().is_none())
            && matches!(self.schema[required.named()].kind, TypeKind::Input);
        (if is_input { BodyType::Input(required) } else { BodyType::Schema(required) }, known)
    }

    /// The schema that is written or named, which people call `name` where it has no name of its own; `None`, and
    /// diagnostics, if it cannot be read.
    pub(super) fn json_schema(&self, written: &SchemaUse, name: &str, path: &str) -> Option<(Arc<Schemas>, SchemaId)> {
        let spot = match &written.schema {
            SchemaSource::Here(node) => {
                Some(Spot::whole(Rc::new(Document { path: String::new(), root: node.clone() })))
            }
            SchemaSource::File(name) => {
                let (file, fragment) = name.value.split_once('#').unwrap_or((&name.value, ""));
                let document = self.documents.open(file, (&name.place, path));
                document.and_then(|document| self.documents.find(document, fragment, (&name.place, path)))
            }
        };
        let read = spot.and_then(|spot| {
            let mut reader = Reader::new(&self.documents, sort_of(&spot.document), "");
            let own = spot.pointer.rsplit('/').next().filter(|name| !name.is_empty());
            let id = reader.read(&spot, own.unwrap_or(name))?;
            Some((Arc::new(reader.finish()), id))
        });
        self.documents.take_diagnostics().into_iter().for_each(|mistake| self.report.add(mistake));
        let (schemas, id) = read?;
        for (keyword, place) in schemas.unsupported() {
            let message = format!("the keyword `{keyword}` of JSON Schema is not supported by this version");
            let help = "say it with other keywords, or check it with a guard".to_owned();
            self.report.error(NOT_SUPPORTED_YET, (place, path), message, help);
        }
        Some((schemas, id))
    }
}
