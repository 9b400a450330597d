//! What names stand for where an expression is written.

use std::rc::Rc;

use super::policies::identity_type;
use super::tree::{Args, Body, Level};
use super::types::{self, Members};
use super::unit::{Root, Sources, Unit};
use crate::base::id::StepId;
use crate::expr::{Binding, Node, Scope, Type, Unresolved, with_local};
use crate::plan::{RequestPart, Source};
use crate::spec::{self, Named};

/// The names that a level sees, with those that its place adds.
#[derive(Clone, Copy)]
pub(super) struct Names<'u, 's> {
    pub(super) unit: &'u Unit<'u, 's>,
    pub(super) level: usize,
    pub(super) extra: Extra<'u>,
}

/// Names that exist at some places only.
#[derive(Clone, Copy, Default)]
pub(super) struct Extra<'u> {
    /// `reply` and `meta`: the type of the reply.
    pub(super) reply: Option<&'u Type>,
    /// `keys`, in a batched call.
    pub(super) keys: bool,
    /// `item` and `index`: the type of a row of a batched reply.
    pub(super) row: Option<&'u Type>,
    /// `last` and `replies`, in a call with `repeat`: the type of its reply.
    pub(super) repeated: Option<&'u Type>,
    /// Which steps there are already.
    pub(super) steps: Seen,
    /// The step that the expression belongs to, where it sees that.
    pub(super) own: Option<Own<'u>>,
    /// Whether the stream has not begun.
    pub(super) before_events: bool,
}

/// The call that an expression belongs to, under the name of its step: of a `for_each` that of one item.
#[derive(Clone, Copy)]
pub(super) struct Own<'u> {
    pub(super) name: &'u str,
    /// The type of what it holds.
    pub(super) ty: &'u Type,
    /// Where it runs.
    pub(super) at: (u16, StepId),
}

/// Which steps an expression sees.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Seen {
    /// All of its level, and of the levels around it.
    #[default]
    All,
    /// Of this level, those before this one.
    Until(usize, usize),
    /// None: nothing has run.
    None,
}

impl Seen {
    fn hides(self, level: usize, step: usize) -> bool {
        match self {
            Self::All => false,
            Self::Until(at, own) => level == at && step >= own,
            Self::None => true,
        }
    }
}

/// The names that what holds for many calls sees: what stands at a backend or at the gateway knows the
/// request, but not the composition that a call stands in.
#[derive(Clone, Copy)]
pub(super) struct Wide<'u, 's> {
    pub(super) unit: &'u Unit<'u, 's>,
    /// The type of the reply, where one is judged.
    pub(super) reply: Option<&'u Type>,
    /// The key path of the call that it is compiled for.
    pub(super) user: &'u str,
}

/// Names with their bindings, as `args` and `steps` are.
#[derive(Default)]
pub(super) struct Table(pub(super) Vec<(String, Binding)>);

impl Scope for Table {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, binding)| binding.clone()).ok_or(Unresolved::Unknown)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Scope for Names<'_, '_> {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        if let Some(binding) = self.extra(name) {
            return Ok(binding);
        }
        match name {
            "args" => Ok(Binding::Scope { scope: self.args(), noun: "argument" }),
            "steps" => Ok(scope(self.steps(), "step")),
            "request" => Ok(self.unit.request("")),
            "identity" => Ok(known(name, identity_type(self.unit.admits_strangers))),
            _ => self.visible(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = ["args", "steps", "request", "identity"].map(str::to_owned).into();
        names.extend(self.extra.reply.iter().flat_map(|_| ["reply", "meta"].map(str::to_owned)));
        names.extend(self.extra.keys.then(|| "keys".to_owned()));
        names.extend(self.extra.repeated.iter().flat_map(|_| ["last", "replies"].map(str::to_owned)));
        names.extend(self.extra.row.iter().flat_map(|_| ["item", "index"].map(str::to_owned)));
        let mut next = Some(self.level);
        while let Some(level) = next.map(|level| &self.unit.tree.levels[level]) {
            names.extend(level.item.map(|each| item_name(each).to_owned()));
            if self.extra.steps != Seen::None {
                names.extend(level.steps.iter().map(|step| step.name.to_owned()).filter(|name| !name.is_empty()));
            }
            names.extend(self.event_type(level).map(|_| "event".to_owned()));
            names.extend(
                self.parent_type(level.outer.is_none() && matches!(level.args, Args::Request)).map(|_| "parent".into()),
            );
            next = level.outer;
        }
        names
    }
}

impl Scope for Wide<'_, '_> {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        match (name, self.reply) {
            ("request", _) => Ok(self.unit.request(self.user)),
            ("identity", _) => Ok(known(name, identity_type(self.unit.admits_strangers))),
            ("reply" | "meta", Some(ty)) => Ok(self.unit.reply(name, ty)),
            _ => {
                let message = format!("`{name}` is not there: what holds for many calls sees only `request`");
                Err(refused(message, "write it at the call"))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let reply = self.reply.iter().flat_map(|_| ["reply", "meta"]);
        reply.chain(["identity", "request"]).map(str::to_owned).collect()
    }
}

impl<'u> Names<'u, '_> {
    fn extra(&self, name: &str) -> Option<Binding> {
        let var = |source, ty| Some(self.unit.binding(source, ty));
        if let Some(own) = self.extra.own.filter(|own| own.name == name) {
            return var(Source::Step(own.at.0, own.at.1), own.ty.clone());
        }
        match (name, &self.extra) {
            ("reply" | "meta", Extra { reply: Some(ty), .. }) => Some(self.unit.reply(name, ty)),
            ("keys", Extra { keys: true, .. }) => var(Source::Keys, Type::list(Type::Dyn)),
            ("last", Extra { repeated: Some(ty), .. }) => var(Source::Last, (*ty).clone().nullable()),
            ("replies", Extra { repeated: Some(ty), .. }) => var(Source::Replies, Type::list((*ty).clone())),
            ("item", Extra { row: Some(ty), .. }) => var(Source::Row, (*ty).clone()),
            ("index", Extra { row: Some(_), .. }) => var(Source::RowIndex, Type::Dyn),
            _ => None,
        }
    }

    /// A step, item or parent of this level or of one that it stands in.
    fn visible(&self, name: &str) -> Result<Binding, Unresolved> {
        let mut next = Some(self.level);
        while let Some(at) = next {
            let level = &self.unit.tree.levels[at];
            if let Some(step) = level.steps.iter().position(|step| !step.name.is_empty() && step.name == name) {
                if self.extra.steps.hides(at, step) {
                    return Err(not_run(name, self.extra.steps));
                }
                return self.unit.step_binding(at, step);
            }
            if level.item.is_some_and(|each| item_name(each) == name) {
                let depth = self.unit.tree.frames[level.frame].depth;
                return Ok(self.unit.binding(Source::Item(depth), self.unit.item_type(at)));
            }
            let is_root = level.outer.is_none() && matches!(level.args, Args::Request);
            if let ("parent", Some(ty)) = (name, self.parent_type(is_root)) {
                return Ok(self.unit.binding(Source::Item(0), ty));
            }
            if let ("event", Some(ty)) = (name, self.event_type(level)) {
                return Ok(known(name, ty));
            }
            next = level.outer;
        }
        if self.is_unread(name) {
            return Ok(unread());
        }
        Err(match name {
            "reply" | "meta" => {
                refused("there is no reply here", "`reply` stands in `result`, `fail` and `batch` of a call")
            }
            "item" => refused("there is no `item` here", "`item` stands inside `$each` and `for_each`"),
            "last" | "replies" => {
                refused(format!("there is no `{name}` here"), "`last` and `replies` stand in a call with `repeat`")
            }
            "keys" | "index" => refused("this name stands in a batched call only", ""),
            "event" => refused("there is no `event` here", "`event` stands beside a `stream`"),
            "parent" => refused(
                "there is no `parent` here",
                "only fields of the graph have a parent; a part gets what it needs as an argument",
            ),
            _ => Unresolved::Unknown,
        })
    }

    /// Whether a step of this name is left out because of a mistake in it.
    fn is_unread(&self, name: &str) -> bool {
        let mut next = Some(self.level);
        while let Some(level) = next.map(|level| &self.unit.tree.levels[level]) {
            if self.unit.planner.unread.contains(&format!("{}.steps.{name}", level.path)) {
                return true;
            }
            next = level.outer;
        }
        false
    }

    fn parent_type(&self, is_root: bool) -> Option<Type> {
        match self.unit.root {
            Root::Field { parent, .. } if is_root => parent.cloned(),
            _ => None,
        }
    }

    fn event_type(&self, level: &Level<'_>) -> Option<Type> {
        let is_root = level.outer.is_none() && matches!(level.args, Args::Request);
        let is_unread = || self.unit.planner.unread.contains(&format!("{}.stream", level.path));
        let event = self.unit.event.clone().or_else(|| is_unread().then_some(Type::Dyn));
        event.filter(|_| is_root && !self.extra.before_events && self.extra.steps != Seen::None)
    }

    /// The arguments that this level sees.
    fn args(&self) -> Rc<Table> {
        let mut at = self.level;
        loop {
            let level = &self.unit.tree.levels[at];
            match (level.args, level.outer) {
                (Args::Outer, Some(outer)) => at = outer,
                (Args::Part(handed), _) => return self.unit.part_args(at, &handed),
                _ => return Rc::new(self.unit.request_args()),
            }
        }
    }

    /// `steps.NAME`: how each visible step that runs ended.
    fn steps(&self) -> Table {
        let own = self.extra.own.into_iter();
        let mut found: Vec<_> =
            own.map(|own| (own.name.to_owned(), scope(self.endings(own.at.0, own.at.1), "detail of a step"))).collect();
        let mut next = Some(self.level);
        while let Some(at) = next {
            let level = &self.unit.tree.levels[at];
            let depth = self.unit.tree.frames[level.frame].depth;
            for (index, step) in level.steps.iter().enumerate().filter(|(_, step)| !step.name.is_empty()) {
                if self.extra.steps.hides(at, index) {
                    continue;
                }
                if let Body::Call(slot) | Body::Gated(slot, _) | Body::Each(slot, _) = step.body {
                    found.push((step.name.to_owned(), scope(self.endings(depth, slot), "detail of a step")));
                }
            }
            next = level.outer;
        }
        Table(found)
    }

    fn endings(&self, depth: u16, step: StepId) -> Table {
        let error = Members::of(
            "error",
            vec![
                ("code".into(), Type::Text),
                ("status".into(), Type::Int.nullable()),
                ("detail".into(), Type::Text),
                ("body".into(), Type::Dyn),
            ],
        );
        let bind = |source, ty| self.unit.binding(source, ty);
        Table(vec![
            ("status".into(), bind(Source::Status(depth, step), Type::Int.nullable())),
            ("headers".into(), bind(Source::Headers(depth, step), header_map())),
            ("error".into(), bind(Source::Error(depth, step), error.nullable())),
            ("skipped".into(), bind(Source::Skipped(depth, step), Type::Bool)),
            ("cut".into(), bind(Source::Cut(depth, step), Type::Bool)),
        ])
    }
}

/// `request`: its parts. Only a part that is mentioned is read.
pub(super) struct RequestScope {
    sources: Rc<Sources>,
    parts: &'static [(&'static str, RequestPart)],
    /// In a field of the graph the key path of the call that an expression elsewhere is compiled for;
    /// empty for an expression of the field itself.
    in_graph: Option<String>,
}

/// The parts of a request; the query of a graph request and the body come last.
const PARTS: [(&str, RequestPart); 10] = [
    ("method", RequestPart::Method),
    ("path", RequestPart::Path),
    ("headers", RequestPart::Headers),
    ("cookies", RequestPart::Cookies),
    ("client_ip", RequestPart::ClientIp),
    ("id", RequestPart::Id),
    ("time", RequestPart::Time),
    ("query", RequestPart::Query),
    ("query_all", RequestPart::QueryAll),
    ("body", RequestPart::Body),
];

impl RequestScope {
    /// The whole request.
    pub(super) fn whole(sources: Rc<Sources>) -> Binding {
        scope(Self { sources, parts: &PARTS, in_graph: None }, "part of the request")
    }

    /// What is known before the body is read.
    pub(super) fn head(sources: Rc<Sources>) -> Binding {
        scope(Self { sources, parts: &PARTS[..9], in_graph: None }, "part of the request")
    }

    /// What a field of the graph sees: its arguments are what query and body said.
    fn of_graph(sources: Rc<Sources>, user: &str) -> Binding {
        scope(Self { sources, parts: &PARTS[..7], in_graph: Some(user.to_owned()) }, "part of the request")
    }
}

impl Scope for RequestScope {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        let found = self.parts.iter().find(|(known, _)| *known == name);
        let (_, part) = found.ok_or_else(|| self.missing(name))?;
        let ty = match part {
            RequestPart::Headers | RequestPart::Cookies | RequestPart::Query => header_map(),
            RequestPart::QueryAll => Type::map(Type::list(Type::Text).nullable()),
            RequestPart::Body => Type::Dyn,
            RequestPart::Time => Type::Timestamp,
            RequestPart::Method | RequestPart::Path | RequestPart::ClientIp | RequestPart::Id => Type::Text,
        };
        Ok(Binding::Var { var: self.sources.var(Source::Request(*part)), ty })
    }

    fn names(&self) -> Vec<String> {
        self.parts.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

impl Unit<'_, '_> {
    /// A variable that reads `source`.
    pub(super) fn binding(&self, source: Source, ty: Type) -> Binding {
        Binding::Var { var: self.var(source), ty }
    }

    /// `reply` or `meta` of a call.
    fn reply(&self, name: &str, ty: &Type) -> Binding {
        if name == "reply" {
            return self.binding(Source::Reply, ty.clone());
        }
        let members = vec![
            ("status".into(), self.binding(Source::ReplyStatus, Type::Int)),
            ("headers".into(), self.binding(Source::ReplyHeaders, header_map())),
        ];
        scope(Table(members), "part of a reply")
    }

    /// `request`. `user` is the key path of the call that an expression elsewhere is compiled for.
    fn request(&self, user: &str) -> Binding {
        match self.root {
            Root::Field { .. } => RequestScope::of_graph(self.sources.clone(), user),
            Root::Endpoint { .. } | Root::Part { .. } => RequestScope::whole(self.sources.clone()),
        }
    }

    /// What the request's arguments are, by the endpoint or by the schema's field.
    fn request_args(&self) -> Table {
        let schema = &self.planner.schema;
        let arg = |name: &str, ty: &crate::plan::schema::TypeRef, given: bool| {
            let mut declared = types::of_schema(schema, ty);
            if given {
                declared = declared.present().clone();
            }
            let node = Node::Path { var: self.var(Source::Args), steps: Box::default() }.member(name);
            (name.to_owned(), Binding::Node { node, ty: declared })
        };
        let mut members: Vec<(String, Binding)> = match self.root {
            Root::Endpoint { args, .. } => {
                args.iter().map(|found| arg(&found.name, &found.ty, found.default.is_some())).collect()
            }
            Root::Field { args, .. } => {
                args.iter().map(|found| arg(&found.name, &found.ty, found.default.is_some())).collect()
            }
            Root::Part { args } => {
                let declared = |found: &Named<spec::Arg>| {
                    let ty = self.planner.type_named(&found.value.type_name, &found.path);
                    (found.name.value.clone(), Binding::Node { node: Node::NULL, ty })
                };
                args.iter().map(declared).collect()
            }
        };
        if let Root::Endpoint { body: Some(body), .. } = self.root {
            members.push(("body".into(), self.binding(Source::Body, body.clone())));
        }
        members.extend(self.unread_args(0));
        Table(members)
    }

    /// Arguments of a level that are left out because of mistakes in them.
    pub(super) fn unread_args(&self, level: usize) -> Vec<(String, Binding)> {
        let prefix = format!("{}.args.", self.tree.levels[level].path);
        let names = self.planner.unread.iter().filter_map(|path| path.strip_prefix(&prefix));
        names.map(|name| (name.to_owned(), unread())).collect()
    }
}

impl RequestScope {
    fn missing(&self, name: &str) -> Unresolved {
        let is_part = PARTS.iter().any(|(known, _)| *known == name);
        let message = format!("`request.{name}` is not there in fields of the graph");
        match self.in_graph.as_deref() {
            Some("") if is_part => refused(message, "declare an argument of the field"),
            Some(user) if is_part => {
                refused(format!("{message}, and `{user}` uses this"), "write it where it is there")
            }
            _ => Unresolved::Unknown,
        }
    }
}

/// What stands for a definition that could not be read: nothing more is said about it.
fn unread() -> Binding {
    Binding::Node { node: Node::NULL, ty: Type::Dyn }
}

/// What stands for a value whose type is all that is known of it: it is checked and never run.
fn known(name: &str, ty: Type) -> Binding {
    let nothing = Table(Vec::new());
    let node = Node::Local { id: with_local(&nothing, name, ty.clone()).local().id, steps: Box::default() };
    Binding::Node { node, ty }
}

/// Why a step cannot be mentioned that has not run.
fn not_run(name: &str, seen: Seen) -> Unresolved {
    match seen {
        Seen::None => refused(
            format!("`{name}` has not run when this is decided"),
            "only the arguments, the request and the identity of the caller are known here",
        ),
        _ => refused(
            format!("`{name}` comes after this step"),
            "a call that takes a write back may mention its own step and everything before it",
        ),
    }
}

/// The name that a `for_each` gives its item.
pub(super) fn item_name(each: &crate::spec::ForEach) -> &str {
    each.name.as_ref().map_or("item", |name| name.value.as_str())
}

fn header_map() -> Type {
    Type::map(Type::Text.nullable())
}

fn scope(names: impl Scope + 'static, noun: &'static str) -> Binding {
    Binding::Scope { scope: Rc::new(names), noun }
}

pub(super) fn refused(message: impl Into<String>, help: impl Into<String>) -> Unresolved {
    Unresolved::Refused { message: message.into(), help: help.into() }
}
