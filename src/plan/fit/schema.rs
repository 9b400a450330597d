//! Output types of the GraphQL schema as declared types. What a scalar takes is what answers of the
//! graph take for it: GraphQL specification, section 3.5, "Result Coercion".

use std::sync::Arc;

use super::{Declared, DeclaredMember, DeclaredObject, DeclaredScalar};
use crate::base::diagnostic::did_you_mean;
use crate::base::value::Value;
use crate::expr::Type;
use crate::plan::schema::{Schema, TypeId, TypeKind, TypeRef};

/// What a reference to an output type declares.
pub fn of_output(schema: &Arc<Schema>, ty: &TypeRef) -> Declared {
    match ty {
        TypeRef::NonNull(inner) => match of_output(schema, inner) {
            Declared::Nullable(inner) => Declared::clone(&inner),
            other => other,
        },
        TypeRef::List(item) => nullable(Declared::List(Arc::new(of_output(schema, item)))),
        TypeRef::Named { id, .. } => nullable(named(schema, *id)),
    }
}

fn nullable(declared: Declared) -> Declared {
    Declared::Nullable(Arc::new(declared))
}

fn named(schema: &Arc<Schema>, id: TypeId) -> Declared {
    let output = Output { schema: schema.clone(), id };
    match schema[id].kind {
        // A scalar of the project's own takes any JSON.
        TypeKind::Scalar if !id.is_built_in_scalar() => Declared::Anything,
        TypeKind::Scalar | TypeKind::Enum => Declared::Scalar(Arc::new(output)),
        TypeKind::Object | TypeKind::Interface | TypeKind::Union | TypeKind::Input => {
            Declared::Object(Arc::new(output))
        }
    }
}

/// A type of the schema.
struct Output {
    schema: Arc<Schema>,
    id: TypeId,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Output").field(&self.schema[self.id].name).finish()
    }
}

impl DeclaredScalar for Output {
    fn name(&self) -> String {
        self.schema[self.id].name.to_string()
    }

    fn takes(&self, found: &Type) -> bool {
        match self.id {
            TypeId::INT | TypeId::FLOAT => found.is_number(),
            TypeId::BOOLEAN => matches!(found, Type::Bool),
            TypeId::ID => found.is_number() || matches!(found, Type::Text),
            // 64-bit integers of a proto, times and bytes are text in JSON.
            TypeId::STRING => matches!(
                found,
                Type::Text | Type::Timestamp | Type::Duration | Type::Bytes | Type::Int | Type::Uint | Type::Type
            ),
            _ => matches!(found, Type::Text),
        }
    }

    fn refuses(&self, written: &Value<'_>) -> Option<(String, String)> {
        let ty = &self.schema[self.id];
        if self.id == TypeId::INT {
            let whole = written.number()?.to_int().and_then(|whole| i32::try_from(whole).ok());
            return whole.is_none().then(|| ("this is no whole number of 32 bits".to_owned(), String::new()));
        }
        if self.id == TypeId::STRING && written.number().is_some() {
            return Some(("String is declared here, and this is a number".to_owned(), "put it in quotes".to_owned()));
        }
        let text = written.as_text().filter(|_| ty.kind == TypeKind::Enum)?;
        let known = || ty.values.iter().map(|value| value.name.as_str());
        let message = || format!("the enum {} has no value `{text}`", ty.name);
        (!known().any(|value| value == text)).then(|| (message(), did_you_mean(text, known())))
    }
}

/// Members of an abstract type are those of every type that a value can be of.
impl DeclaredObject for Output {
    fn name(&self) -> String {
        self.schema[self.id].name.to_string()
    }

    fn member(&self, name: &str) -> Option<DeclaredMember> {
        if name == "__typename" {
            return Some(DeclaredMember { declared: Declared::Anything, required: false });
        }
        let ty = &self.schema[self.id];
        if let Some(input) = ty.input(name) {
            let required = input.is_required();
            return Some(DeclaredMember { declared: of_output(&self.schema, &input.ty), required });
        }
        if let Some(field) = ty.field(name) {
            let required = field.ty.is_non_null();
            return Some(DeclaredMember { declared: of_output(&self.schema, &field.ty), required });
        }
        let mut fields = ty.possible.iter().filter_map(|object| self.schema[*object].field(name));
        let declared = of_output(&self.schema, &fields.next()?.ty);
        // Types that a value can be of may give a name different types.
        let declared = if fields.next().is_some() { Declared::Anything } else { declared };
        Some(DeclaredMember { declared, required: false })
    }

    fn members(&self) -> Vec<String> {
        let ty = &self.schema[self.id];
        let mut names: Vec<String> = ty.inputs.iter().map(|input| input.name.clone()).collect();
        let possible = ty.possible.iter().flat_map(|object| &self.schema[*object].fields);
        for field in ty.fields.iter().chain(possible) {
            if !names.contains(&field.name) {
                names.push(field.name.clone());
            }
        }
        names
    }
}
