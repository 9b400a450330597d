//! Endpoints that are a query of the graph: the document is planned, and fits the endpoint's arguments.

use http::Method;

use super::policies::Door;
use super::tree::Tree;
use super::unit::{Root, Unit};
use super::{Planner, endpoints};
use crate::base::diagnostic::{Diagnostic, Place, did_you_mean, suggestion};
use crate::base::failure::Cause;
use crate::expr::Type;
use crate::plan::operation::selection::{FieldSource, VariableDef};
use crate::plan::operation::{
    Introspection, Limits, Location, Operation, OperationKind, Planned, Problem, Settings, compile,
};
use crate::plan::schema::{TypeKind, TypeRef};
use crate::plan::{Arg, BodyType, Field, Graph, Queried};
use crate::spec::{self, Methods, Named, Scalar};

/// The graph that documents of endpoints are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face<'g> {
    pub(super) graph: &'g Graph,
    pub(super) fields: &'g [Field],
}

/// What an endpoint gives its query: its arguments, and its body.
type Given<'a> = (&'a [Arg], Option<&'a (BodyType, Type)>);

/// Compositions write a document once and clients never see it: hints name whatever there is.
const SETTINGS: Settings = Settings { limits: Limits::WRITTEN, introspection: Introspection::On };

impl Planner<'_> {
    /// Plans the document of an endpoint; `None` when it is wrong, which is reported.
    pub(super) fn queried(
        &self,
        (named, query): (&Named<spec::Endpoint>, &spec::Document),
        given: Given<'_>,
        face: Option<Face<'_>>,
    ) -> Option<Queried> {
        let path = format!("{}.query", named.path);
        let text = query.scalar.text().unwrap_or_default();
        let Some(face) = face else {
            // Fields of the graph miss it too, and say so.
            if self.spec.graph.fields.is_empty() {
                let message = "there is no graph to query: the schema has no type `Query`".to_owned();
                self.report.error("query", (&query.scalar.place, &path), message, String::new());
            }
            return None;
        };
        let operation = match compile(text, None, &self.schema, &SETTINGS) {
            Ok(operation) => operation,
            // The words for clients speak of a choice that an endpoint does not have.
            Err(error) if error.cause == Cause::GraphqlOperation && error.problems[0].locations.is_empty() => {
                let message = "an endpoint asks one operation, and the document has none or several".to_owned();
                let help = "leave one of them, and write the others to endpoints of their own".to_owned();
                self.report.error("query", (&query.scalar.place, &path), message, help);
                return None;
            }
            Err(error) => {
                error.problems.iter().for_each(|problem| self.wrong_document(&query.scalar, problem, &path));
                return None;
            }
        };
        self.check_operation(&operation, (named, &query.scalar), &path);
        self.check_variables(&operation, (named, &query.scalar), given);
        let body =
            operation.variables.iter().position(|variable| &*variable.name == "body").filter(|_| given.1.is_some());
        let tree = Tree::of_composition(self, &named.value.composition, (&named.name.place, &named.path));
        let root = Root::Endpoint { args: given.0, body: given.1.map(|(_, ty)| ty), read_only: true };
        let unit = Unit::new(self, tree, root).behind(named.value.auth.as_ref(), None);
        unit.check_door(Door::of_endpoint(&named.value), &named.path);
        let respond = self.respond(&named.value, &unit, &named.path);
        let operation = Planned::new(face.graph, face.fields, operation);
        Some(Queried { operation, body, respond, sources: unit.sources() })
    }

    /// Says what is wrong with a document where it stands in the composition file.
    fn wrong_document(&self, document: &Scalar, problem: &Problem, path: &str) {
        let place = problem.locations.first().map_or_else(|| document.place.clone(), |at| place_in(document, *at));
        let (message, help) = match problem.message.split_once("; did you mean ") {
            Some((message, name)) => (message, format!("did you mean {name}")),
            None => (problem.message.trim_end_matches('.'), String::new()),
        };
        self.report.error("query", (&place, path), message.to_owned(), help);
    }

    /// Mutations are for methods that may change something, and the schema is not asked for here.
    fn check_operation(&self, operation: &Operation, (named, document): (&Named<spec::Endpoint>, &Scalar), path: &str) {
        let reads = match &named.value.route.methods {
            Methods::Any(_) => true,
            Methods::Only(methods) => methods.iter().any(|method| matches!(method.value, Method::GET | Method::HEAD)),
        };
        if operation.kind == OperationKind::Mutation && reads {
            let message = "a mutation may change something, and this endpoint takes GET".to_owned();
            let help = "write the endpoint with POST, PUT, PATCH or DELETE".to_owned();
            self.report.error("write-in-read", (&document.place, path), message, help);
        }
        let asks = operation.selection.fields.iter().filter(|field| field.source == FieldSource::Introspection);
        for field in asks {
            let place = place_in(document, Location { line: field.line, column: field.column });
            let message = format!("`{}` is for clients of the graph, not for endpoints", field.name);
            self.report.error("query", (&place, path), message, "leave it out".to_owned());
        }
    }

    /// Each variable is an argument of the same name, or the body, and of a type that it takes.
    fn check_variables(
        &self,
        operation: &Operation,
        (named, document): (&Named<spec::Endpoint>, &Scalar),
        (args, body): Given<'_>,
    ) {
        for variable in &operation.variables {
            let arg = args.iter().find(|arg| arg.name == variable.name);
            let given = match (arg, body) {
                (Some(arg), _) => Some((arg.ty.clone(), arg.default.is_some())),
                (None, Some((body, _))) if &*variable.name == "body" => {
                    Some((self.body_type_ref(body, variable), false))
                }
                _ => None,
            };
            match given {
                None => self.missing_argument(variable, (named, document), args),
                Some((ty, has_default)) if !self.fits(&ty, has_default, variable) => {
                    self.wrong_argument(variable, (named, document), &ty);
                }
                Some(_) => {}
            }
        }
        // What `respond` mentions is of use without being a variable.
        for arg in named.value.composition.args.iter().filter(|_| named.value.respond.is_none()) {
            if !operation.variables.iter().any(|variable| *variable.name == *arg.name.value) {
                let message = format!("the query has no variable `${}`: the argument changes nothing", arg.name.value);
                let known = operation.variables.iter().map(|variable| &*variable.name);
                let warning = Diagnostic::error("unused", arg.name.place.clone(), &arg.path, message).warning();
                self.report.add(warning.help(did_you_mean(&arg.name.value, known)));
            }
        }
    }

    /// The type of a body as a variable sees it. `JSON` that the schema does not define may be
    /// anything, so that it fits any variable of a scalar of the schema's own.
    fn body_type_ref(&self, body: &BodyType, variable: &VariableDef) -> TypeRef {
        let own_scalar = |ty: &TypeRef| {
            let named = ty.named();
            self.schema[named].kind == TypeKind::Scalar && !named.is_built_in_scalar() && ty.item().is_none()
        };
        match body {
            BodyType::Schema(ty) | BodyType::Input(ty) => ty.clone(),
            // What a message or a JSON Schema allows is no type of the graph: any JSON to it.
            _ if own_scalar(&variable.ty) => variable.ty.nullable().clone(),
            _ => endpoints::any_type(),
        }
    }

    /// Whether an argument can stand for a variable (GraphQL, section 5.8.5, with the argument in
    /// the variable's part and the variable in that of the place).
    fn fits(&self, given: &TypeRef, has_default: bool, variable: &VariableDef) -> bool {
        let given = if has_default { given.clone().non_null() } else { given.clone() };
        let wanted = if variable.default.is_some() { variable.ty.nullable() } else { &variable.ty };
        self.schema.is_subtype(&given, wanted)
    }

    fn missing_argument(
        &self,
        variable: &VariableDef,
        (named, document): (&Named<spec::Endpoint>, &Scalar),
        args: &[Arg],
    ) {
        let path = format!("{}.query", named.path);
        let place = place_in(document, Location { line: variable.line, column: variable.column });
        let message = format!("the endpoint has no argument `{}`, which the query needs", variable.name);
        let near = suggestion(&variable.name, args.iter().map(|arg| &*arg.name));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write `args: {{ {}: {} }}`", variable.name, quoted(&variable.ty)),
        };
        self.report.error("missing-argument", (&place, &path), message, help);
    }

    fn wrong_argument(
        &self,
        variable: &VariableDef,
        (named, document): (&Named<spec::Endpoint>, &Scalar),
        given: &TypeRef,
    ) {
        let written = named.value.composition.args.iter().find(|arg| *arg.name.value == *variable.name);
        let body = named.value.body.as_ref().map(|body| (body.place(), format!("{}.body", named.path)));
        let at = written.map(|arg| (&arg.value.type_name.place, arg.path.clone())).or(body);
        let (place, path) = at.unwrap_or_else(|| (&document.place, format!("{}.query", named.path)));
        let message = format!("the variable `${}` is {}, and this is {given}", variable.name, variable.ty);
        let help = match given.nullable() == variable.ty.nullable() {
            true => format!("write {}, or give the argument a `default`", quoted(&variable.ty)),
            false => format!("write {}, or let the query take `{given}`", quoted(&variable.ty)),
        };
        self.report.error("wrong-type", (place, &path), message, help);
    }
}

/// A type as an argument's declaration writes it: brackets are YAML's unless they are quoted.
fn quoted(ty: &TypeRef) -> String {
    let text = ty.to_string();
    if text.starts_with('[') { format!("\"{text}\"") } else { text }
}

/// Where in the composition file a place of a document is: the name that stands there, or one character.
fn place_in(document: &Scalar, at: Location) -> Place {
    let text = document.text().unwrap_or_default();
    let line = text.split_inclusive('\n').take(at.line.saturating_sub(1) as usize).map(str::len).sum::<usize>();
    let column = at.column.saturating_sub(1) as usize;
    let rest = text.get(line..).unwrap_or_default();
    let start = line + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let here = text.get(start..).unwrap_or_default();
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '@');
    let name = here.find(|c: char| !belongs(c)).unwrap_or(here.len());
    let width = name.max(here.chars().next().map_or(0, char::len_utf8));
    document.place_of(start..start + width)
}
