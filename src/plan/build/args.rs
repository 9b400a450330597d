//! Arguments of endpoints: where they come from, what they may be, what they are without a value.

use std::rc::Rc;
use std::sync::Arc;

use super::Planner;
use super::endpoints::{any_type, named_in};
use super::names::RequestScope;
use super::types;
use super::unit::Sources;
use crate::base::diagnostic::did_you_mean;
use crate::base::value::{DocBuilder, Value, member_key};
use crate::descriptor::EnumDescriptor;
use crate::expr::{self, Binding, Budget, Failures, Pattern, Scope, Type, Unresolved, Var};
use crate::plan::schema::coerce::{Input, coerce};
use crate::plan::schema::{TypeId, TypeKind, TypeRef};
use crate::plan::{Arg, ArgDefault, ArgSource, Bounds};
use crate::spec::{self, Captured, Literal, Located, Named, Segment};

impl Planner<'_> {
    /// The arguments of an endpoint, in written order. What their defaults read is added to `sources`.
    pub(super) fn args(&self, named: &Named<spec::Endpoint>, sources: &Rc<Sources>) -> Vec<Arg> {
        let endpoint = &named.value;
        let parameters: Vec<&Located<Segment>> =
            endpoint.route.segments.iter().filter(|segment| !matches!(segment.value, Segment::Literal(_))).collect();
        let mut args: Vec<Arg> =
            endpoint.composition.args.iter().map(|arg| self.arg(arg, &parameters, sources)).collect();
        for (position, parameter) in parameters.into_iter().enumerate() {
            let (Segment::Parameter(Captured { name, .. }) | Segment::Rest(Captured { name, .. })) = &parameter.value
            else {
                continue;
            };
            let used = |arg: &Arg| matches!(arg.source, ArgSource::Path(at) | ArgSource::Tail(at) if at == position);
            if args.iter().any(used) {
                continue;
            }
            // A tail is text; what another parameter is must be said.
            if let Segment::Rest(_) = parameter.value {
                args.push(tail(name, position));
            } else {
                let message = format!("the path parameter `{name}` is not declared");
                let help = format!("write `args: {{ {name}: ID! }}`");
                self.report.error("undeclared", (&parameter.place, &named.path), message, help);
            }
        }
        args
    }

    fn arg(&self, named: &Named<spec::Arg>, parameters: &[&Located<Segment>], sources: &Rc<Sources>) -> Arg {
        let arg = &named.value;
        let name = &named.name.value;
        let outside = arg.name.as_ref().map_or(name.as_str(), |name| name.value.as_str());
        let source = self.arg_source((named, outside), parameters);
        let (ty, values) = self.arg_type(&arg.type_name, &named.path);
        if let TypeKind::Input = self.schema[ty.named()].kind {
            let message = format!("an argument is text, and `{ty}` is an object");
            let help = "declare the type of the request's body under `body`".to_owned();
            self.report.error("wrong-type", (&arg.type_name.place, &named.path), message, help);
        }
        let mut bounds = self.bounds(named, &ty);
        if let Some(values) = values {
            self.narrow(&mut bounds, &values, named);
        }
        let default = self.arg_default(named, (&ty, &bounds), sources);
        Arg { key: member_key(name), name: name.as_str().into(), source, ty, default, bounds }
    }

    /// The type of an argument. One of a proto's enum is text, and one of the names that come with it.
    fn arg_type(&self, text: &Located<String>, path: &str) -> (TypeRef, Option<EnumDescriptor>) {
        let name = named_in(&text.value);
        if self.message_named(name).is_some() {
            let message = format!("an argument is text, and `{name}` is a message");
            let help = format!("declare it as the request's body: `body: {name}`");
            self.report.error("wrong-type", (&text.place, path), message, help);
            return (any_type(), None);
        }
        let found = self.enum_named(name);
        let written = match &found {
            Some(_) => Located { value: text.value.replace(name, "String"), place: text.place.clone() },
            None => text.clone(),
        };
        (self.type_ref(&written, path).unwrap_or_else(any_type), found)
    }

    /// Leaves the names of a proto's enum that `enum` allows.
    fn narrow(&self, bounds: &mut Bounds, of: &EnumDescriptor, named: &Named<spec::Arg>) {
        let names = || of.values().iter().map(|value| &*value.name);
        for (text, written) in bounds.allowed.iter().zip(named.value.values.iter().flatten()) {
            if !names().any(|name| *name == **text) {
                let message = format!("the enum {} has no value `{text}`", of.full_name());
                let at = (&written.place, &*format!("{}.enum", named.path));
                self.report.error("wrong-type", at, message, did_you_mean(text, names()));
            }
        }
        if bounds.allowed.is_empty() {
            bounds.allowed = names().map(Box::from).collect();
        }
    }

    fn arg_source(&self, (named, outside): (&Named<spec::Arg>, &str), parameters: &[&Located<Segment>]) -> ArgSource {
        let find = |wanted: &str| {
            parameters.iter().enumerate().find_map(|(at, parameter)| match &parameter.value {
                Segment::Parameter(captured) if captured.name == wanted => Some(ArgSource::Path(at)),
                Segment::Rest(captured) if captured.name == wanted => Some(ArgSource::Tail(at)),
                _ => None,
            })
        };
        let Some(written) = &named.value.source else {
            return find(outside).unwrap_or_else(|| ArgSource::Query(outside.into()));
        };
        match written.value {
            // That the path has the parameter was checked when it was read.
            spec::ArgSource::Path => find(outside).unwrap_or_else(|| ArgSource::Query(outside.into())),
            spec::ArgSource::Query => ArgSource::Query(outside.into()),
            spec::ArgSource::Cookie => ArgSource::Cookie(outside.into()),
            spec::ArgSource::Form => ArgSource::Form(outside.into()),
            spec::ArgSource::Header => match outside.to_lowercase().parse() {
                Ok(name) => ArgSource::Header(name),
                Err(_) => {
                    let message = format!("`{outside}` is no name of a header field");
                    self.report.error(
                        "bad-name",
                        (&named.name.place, &named.path),
                        message,
                        "write `name: x-…`".to_owned(),
                    );
                    ArgSource::Query(outside.into())
                }
            },
        }
    }

    pub(super) fn bounds(&self, named: &Named<spec::Arg>, ty: &TypeRef) -> Bounds {
        let arg = &named.value;
        let kind = self.schema[ty.named()].kind;
        let counts = matches!(ty.named(), TypeId::INT | TypeId::FLOAT);
        let is_text = matches!(kind, TypeKind::Scalar) && !counts && ty.named() != TypeId::BOOLEAN;
        let misplaced = |place, message: String, help: &str| {
            self.report.error("misplaced", (place, &named.path), message, help.to_owned());
        };
        for bound in [&arg.min, &arg.max].into_iter().flatten().filter(|_| !counts && !is_text) {
            let type_name = &self.schema[ty.named()].name;
            misplaced(&bound.place, format!("`{type_name}` has no bounds"), "`enum` lists the values that are allowed");
        }
        for bound in [&arg.min, &arg.max].into_iter().flatten().filter(|_| is_text) {
            if bound.value < 0.0 || bound.value.fract() != 0.0 {
                let message = "of text, this bounds the number of characters".to_owned();
                misplaced(&bound.place, message, "write a whole number");
            }
        }
        let pattern = arg.pattern.as_ref().and_then(|pattern| {
            if !is_text {
                misplaced(&pattern.place, format!("a pattern is for text, and this is `{ty}`"), "leave it out");
                return None;
            }
            match Pattern::compile_whole(&pattern.value) {
                Ok(compiled) => Some((pattern.value.as_str().into(), compiled)),
                Err(message) => {
                    self.report.error("bad-pattern", (&pattern.place, &named.path), message, String::new());
                    None
                }
            }
        });
        Bounds {
            allowed: arg.values.iter().flatten().filter_map(|value| self.allowed(value, (ty, &named.path))).collect(),
            counts,
            min: arg.min.as_ref().map(|min| min.value),
            max: arg.max.as_ref().map(|max| max.value),
            pattern,
        }
    }

    /// One value of an `enum`, which must be a value of the argument's type.
    fn allowed(&self, scalar: &spec::Scalar, (ty, path): (&TypeRef, &str)) -> Option<Box<str>> {
        let text: Box<str> = match &scalar.value {
            Literal::Text(text) | Literal::Number(text) => text.as_str().into(),
            Literal::Bool(value) => value.to_string().into(),
            Literal::Null => return None,
        };
        if let Err(wrong) = coerce(&self.schema, &Input::Text(&text), ty, &mut DocBuilder::default()) {
            let message = format!("`{text}` {}", wrong[0].reason);
            self.report.error("wrong-type", (&scalar.place, &format!("{path}.enum")), message, wrong[0].hint.clone());
        }
        Some(text)
    }

    /// A default stands outside every composition: it sees the request only. One that is written out is held to
    /// the argument's own bounds now.
    fn arg_default(
        &self,
        named: &Named<spec::Arg>,
        (ty, bounds): (&TypeRef, &Bounds),
        sources: &Rc<Sources>,
    ) -> Option<ArgDefault> {
        let written = named.value.default.as_ref()?;
        let (place, path) = (written.place(), format!("{}.default", named.path));
        let value = self.template(written, &OutsideCompositions { sources: sources.clone() }, &path);
        let known = types::of_schema(&self.schema, ty);
        let value = super::wanted::expected(value, &known);
        if !default_fits(&value.ty, &known) {
            let message = format!("the default is {}, and the argument is `{ty}`", value.ty);
            self.report.error("wrong-type", (place, &path), message, String::new());
            return None;
        }
        let mut is_constant = !value.ty.is_unknown();
        value.node.vars(&mut |_| is_constant = false);
        let nothing = Nothing::default();
        let found = if is_constant { expr::eval(&value.node, &nothing, &mut Failures::default()).ok() } else { None };
        let Some(found) = found else { return Some(ArgDefault::Computed(value.node)) };
        let mut out = DocBuilder::default();
        if let Err(wrong) = bounds.coerce_value((&self.schema, ty), &found, &mut out) {
            let shown = match value.node.holds_named() {
                true => "of this constant".to_owned(),
                false => crate::base::value::key_text(&found).map_or("`null`".to_owned(), |text| format!("`{text}`")),
            };
            for wrong in wrong {
                let message = format!("the default {shown} {}", wrong.reason);
                self.report.error("wrong-default", (place, &path), message, wrong.hint.clone());
            }
        }
        drop(found);
        Some(ArgDefault::Constant { node: value.node, value: Arc::new(out.finish()) })
    }
}

/// What defaults of arguments see.
struct OutsideCompositions {
    sources: Rc<Sources>,
}

impl Scope for OutsideCompositions {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        match name {
            "request" => Ok(RequestScope::head(self.sources.clone())),
            "args" | "steps" => Err(Unresolved::Refused {
                message: "a default is made before there are arguments and steps".to_owned(),
                help: "it sees `request` only".to_owned(),
            }),
            _ => Err(Unresolved::Unknown),
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["request".to_owned()]
    }
}

/// What programs read that read nothing.
#[derive(Default)]
struct Nothing {
    budget: Budget,
}

impl expr::Env for Nothing {
    fn var(&self, _: Var) -> Value<'_> {
        Value::Null
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}

fn tail(name: &str, position: usize) -> Arg {
    Arg {
        key: member_key(name),
        name: name.into(),
        source: ArgSource::Tail(position),
        ty: TypeRef::NonNull(Box::new(any_type())),
        default: None,
        bounds: Bounds::default(),
    }
}

fn default_fits(default: &Type, wanted: &Type) -> bool {
    match (default.present(), wanted.present()) {
        (Type::Dyn | Type::Never | Type::Null, _) | (_, Type::Dyn) => true,
        (Type::Int | Type::Uint, Type::Double) => true,
        // `ID` takes numbers too.
        (Type::Int, Type::Text) => true,
        (Type::List(a), Type::List(b)) => default_fits(&a.ty, &b.ty),
        (a, b) => a.is(b) || matches!((a, b), (Type::Object(_), Type::Object(_))),
    }
}
