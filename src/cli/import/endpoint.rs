//! One binding of a rpc as an endpoint, or why it cannot be one.

use super::fields::{Arg, Names, Query, Said, Written, field_at, path_parameter};
use super::template::{self, Segment, Template};
use crate::descriptor::{HttpBinding, HttpVerb, Kind, MessageDescriptor, MethodDescriptor};

/// An endpoint as it is written.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) methods: String,
    pub(super) path: String,
    pub(super) args: Vec<Arg>,
    /// The message that the request's body is.
    pub(super) body: Option<String>,
    pub(super) rpc: String,
    pub(super) message: Written,
    /// The field of the reply that the answer is; without it, the whole reply.
    pub(super) answer: Option<String>,
    /// What the binding says and an endpoint cannot.
    pub(super) remarks: Vec<String>,
}

impl Endpoint {
    /// The route without the names of its parameters: two endpoints with the same cannot stand side by side.
    pub(super) fn pattern(&self) -> String {
        let plain = |segment: &str| match segment.split_once('}') {
            Some((name, suffix)) if name.starts_with("{*") => format!("{{*}}{suffix}"),
            Some((_, suffix)) => format!("{{}}{suffix}"),
            None => segment.to_owned(),
        };
        let path: Vec<String> = self.path.split('/').map(plain).collect();
        format!("{} {}", self.methods, path.join("/"))
    }
}

/// The endpoint of a binding.
///
/// # Errors
/// What of it the language cannot say.
pub(super) fn of_binding(rpc: &MethodDescriptor, binding: &HttpBinding) -> Result<Endpoint, String> {
    if rpc.is_client_streaming() || rpc.is_server_streaming() {
        return Err("it streams, and streams are not supported by this version".to_owned());
    }
    if is_raw(&rpc.input()) || is_raw(&rpc.output()) {
        return Err("it takes or gives raw bytes (google.api.HttpBody), and only JSON is written".to_owned());
    }
    let methods = methods(&binding.verb)?;
    if !binding.body.is_empty() && matches!(&*methods, "GET" | "HEAD") {
        return Err(format!("a {methods} has no body"));
    }
    let template = template::read(&binding.template).ok_or("its path is no template")?;
    let mut building = Building {
        input: rpc.input(),
        names: Names::default(),
        args: Vec::new(),
        bound: Vec::new(),
        message: Written::default(),
    };
    let path = building.path(&template)?;
    let body = building.body(&binding.body)?;
    let mut remarks = Vec::new();
    if binding.body != "*" {
        let mut query = Query::default();
        query.add(&rpc.input(), (&building.bound, &[]), &mut building.names, &mut building.message);
        building.args.append(&mut query.args);
        if !query.left_out.is_empty() {
            remarks.push(format!("no parameter of a query can hold {}", query.left_out.join(", ")));
        }
    }
    let answer = match &*binding.response_body {
        "" => None,
        name => {
            let field = rpc.output().field_named(name).ok_or_else(|| format!("the reply has no field `{name}`"))?;
            Some(field.json_name().to_owned())
        }
    };
    let rpc = format!("{}/{}", rpc.parent_service().full_name(), rpc.name());
    let Building { args, message, .. } = building;
    Ok(Endpoint { methods, path, args, body, rpc, message, answer, remarks })
}

fn is_raw(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.api.HttpBody"
}

fn methods(verb: &HttpVerb) -> Result<String, String> {
    Ok(match verb {
        HttpVerb::Get => "GET".to_owned(),
        HttpVerb::Put => "PUT".to_owned(),
        HttpVerb::Post => "POST".to_owned(),
        HttpVerb::Delete => "DELETE".to_owned(),
        HttpVerb::Patch => "PATCH".to_owned(),
        HttpVerb::Custom(name) if name == "*" => "ANY".to_owned(),
        HttpVerb::Custom(name) if matches!(&**name, "HEAD" | "OPTIONS") => name.clone(),
        HttpVerb::Custom(name) => return Err(format!("an endpoint does not know the method `{name}`")),
    })
}

/// An endpoint being put together.
struct Building {
    input: MessageDescriptor,
    names: Names,
    args: Vec<Arg>,
    /// The fields that path and body hold.
    bound: Vec<Vec<String>>,
    message: Written,
}

impl Building {
    /// The path as an endpoint writes it; what it holds goes into arguments and message.
    fn path(&mut self, template: &Template) -> Result<String, String> {
        let mut segments: Vec<String> = Vec::new();
        for segment in &template.segments {
            match segment {
                Segment::Variable(path, inside) => self.variable(path, inside, &mut segments)?,
                other => {
                    self.parameter((other, ("rest", "any")), "String!".to_owned(), &mut segments);
                }
            }
        }
        if let Some(verb) = &template.verb {
            let Some(last) = segments.last_mut() else { return Err(format!("`:{verb}` stands behind nothing")) };
            last.push_str(&format!(":{verb}"));
        }
        let inner = segments.iter().rev().skip(1).any(|segment| segment.starts_with("{*"));
        match inner {
            true => Err("`**` can only stand at the end of a path".to_owned()),
            false => Ok(format!("/{}", segments.join("/"))),
        }
    }

    /// A field in the path: the value is what its segments are together.
    fn variable(&mut self, path: &[String], inside: &[Segment], segments: &mut Vec<String>) -> Result<(), String> {
        let shown = path.join(".");
        let field = field_at(&self.input, path).ok_or_else(|| format!("the request has no field `{shown}`"))?;
        let declared = path_parameter(&field).ok_or_else(|| format!("no path can hold `{shown}`"))?;
        let own = path.last().map_or("", String::as_str);
        let is_single = matches!(inside, [Segment::Any]);
        let mut value: Vec<String> = Vec::new();
        let mut before = own;
        for segment in inside {
            let declared = if is_single { declared.clone() } else { "String!".to_owned() };
            let named = if is_single { own } else { before };
            let text = match self.parameter((segment, (own, named)), declared, segments) {
                Some(name) => format!("${{args.{name}}}"),
                None => segments.last().cloned().unwrap_or_default(),
            };
            if let Segment::Literal(literal) = segment {
                before = literal;
            }
            value.push(text);
        }
        self.bound.push(path.to_vec());
        self.message.set(path, Said::Always(value.join("/")));
        Ok(())
    }

    /// Writes one segment; gives the name of its argument, if it is one. The names are those of a tail and of
    /// a single segment.
    fn parameter(
        &mut self,
        (segment, (tail, single)): (&Segment, (&str, &str)),
        declared: String,
        segments: &mut Vec<String>,
    ) -> Option<String> {
        let (name, shown) = match segment {
            Segment::Literal(text) => {
                segments.push(text.clone());
                return None;
            }
            Segment::Rest => {
                let name = self.names.take(tail);
                (name.clone(), format!("{{*{name}}}"))
            }
            Segment::Any | Segment::Variable(..) => {
                let name = self.names.take(single);
                (name.clone(), format!("{{{name}}}"))
            }
        };
        segments.push(shown);
        self.args.push(Arg { name: name.clone(), written: declared });
        Some(name)
    }

    /// The message that the body is; it goes where the binding says, and what the path says of it counts.
    fn body(&mut self, body: &str) -> Result<Option<String>, String> {
        let (path, message) = match body {
            "" => return Ok(None),
            "*" => (Vec::new(), self.input.clone()),
            name => {
                let field = self.input.field_named(name).ok_or_else(|| format!("the request has no field `{name}`"))?;
                match field.kind() {
                    Kind::Message(message) if !field.is_list() && !field.is_map() => (vec![name.to_owned()], message),
                    _ => return Err(format!("`{name}` is no message, and a body is one")),
                }
            }
        };
        self.message.set(&path, Said::Always("${args.body}".to_owned()));
        self.bound.push(path);
        Ok(Some(message.full_name().to_owned()))
    }
}
