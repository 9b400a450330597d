//! Compiled programs as text again, close to how they were written.
//!
//! A plan keeps no source text: parts are put where they are used, so what runs may stand nowhere in
//! one piece.

use std::fmt::Write as _;

use crate::base::value::{JsonWriter, Sink as _, Value};
use crate::expr::{
    Alternative, Arithmetic, Bind, Binder, Call, Comprehension, Conditional, Fallback, Fold, Index, Infix, Local,
    LocalId, Missing, Node, OptionalStep, Relation, Relational, Step, TextPart, Var, is_word,
};

/// What a printer does not know by itself.
pub(in crate::plan::explain) trait Names {
    /// What a variable is called.
    fn variable(&self, var: Var) -> String;
}

/// A program as text.
pub(in crate::plan::explain) fn expression(node: &Node, names: &dyn Names) -> String {
    let mut printer = Printer { names, locals: Vec::new(), out: String::new() };
    printer.node(node);
    printer.out
}

/// A program inside text: a written text as it is, anything else in braces.
pub(in crate::plan::explain) fn placeholder(node: &Node, names: &dyn Names) -> String {
    match node {
        Node::Const(Value::Text(text)) => text.to_string(),
        Node::Const(_) => expression(node, names),
        Node::Text(parts) => parts.iter().map(|part| text_part(part, names)).collect(),
        _ => format!("{{{}}}", expression(node, names)),
    }
}

fn text_part(part: &TextPart, names: &dyn Names) -> String {
    match part {
        TextPart::Literal(text) => text.to_string(),
        TextPart::Value(node) => placeholder(node, names),
    }
}

/// How tightly operators bind, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Conditional,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Operand,
}

struct Printer<'n> {
    names: &'n dyn Names,
    locals: Vec<(LocalId, String)>,
    out: String,
}

impl Printer<'_> {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Const(value) => self.constant(value),
            Node::Named(named) => self.out.push_str(&named.written),
            Node::Path { var, steps } => {
                self.out.push_str(&self.names.variable(*var));
                self.steps(steps);
            }
            Node::Local { id, steps } => self.local(*id, steps),
            Node::Select { of, steps } => {
                self.operand(of, Binding::Operand);
                self.steps(steps);
            }
            Node::Index(index) => self.index(index),
            Node::OptionalStep(step) => self.optional_step(step),
            Node::Has(presence) => {
                self.out.push_str("has(");
                self.operand(&presence.of, Binding::Operand);
                self.push(format_args!(".{})", presence.name));
            }
            Node::Not(inner, _) => self.prefixed("!", inner),
            Node::Negate(inner, _) => self.prefixed("-", inner),
            Node::Arithmetic(chain) => self.arithmetic(chain),
            Node::Relation(relation) => self.relation(relation),
            Node::And(nodes, _) => self.separated(nodes, " && ", Binding::Relation),
            Node::Or(nodes, _) => self.separated(nodes, " || ", Binding::And),
            Node::Conditional(node) => self.conditional(node),
            Node::Fallback(fallback) => self.fallback(fallback),
            Node::Bind(bind) => self.bind(bind),
            Node::Call(call) => self.library(call),
            Node::Matches(matches) => {
                let pattern = Node::text(matches.pattern.as_str());
                self.method(&matches.text, "matches", &[&pattern]);
            }
            Node::Comprehension(comprehension) => self.comprehension(comprehension),
            Node::List(elements) => self.list(elements.iter().map(|element| (element.optional, &element.value))),
            Node::Map(entries, _) => {
                self.object(entries.iter().map(|entry| (Key::Node(&entry.key, entry.optional), None, &entry.value)));
            }
            Node::Object(members) => {
                self.object(
                    members.iter().map(|member| (Key::Name(&member.name), member.when.as_ref(), &member.value)),
                );
            }
            Node::Each { list, local, when, body } => self.each(list, local, (when.as_deref(), body)),
            Node::Numeral(numeral) => self.out.push_str(numeral.view().raw()),
            Node::Items(items) => self.list(items.iter().map(|item| (false, item))),
            Node::Text(parts) => self.text(parts),
            Node::Leaf(inner) => self.node(inner),
            Node::Inspected(inspected) => self.node(&inspected.node),
            Node::Merge(merge) => {
                let parts: Vec<&Node> = merge.parts.iter().map(|part| &part.node).collect();
                self.function("merge", &parts);
            }
            // Of the two sides `otherwise` is the one that still bears the step's name.
            Node::Outcome { otherwise, .. } => self.node(otherwise),
        }
    }

    fn index(&mut self, index: &Index) {
        self.operand(&index.of, Binding::Operand);
        self.out.push_str(if index.missing == Missing::Empty { "[?" } else { "[" });
        self.node(&index.index);
        self.out.push(']');
    }

    fn optional_step(&mut self, step: &OptionalStep) {
        self.operand(&step.of, Binding::Operand);
        match &step.step {
            Step::Member(name, _) => self.push(format_args!(".?{name}")),
            Step::Index(index, _) => self.push(format_args!("[?{index}]")),
        }
    }

    fn local(&mut self, id: LocalId, steps: &[Step]) {
        let name = self.locals.iter().find(|(known, _)| *known == id).map_or("it", |(_, name)| name);
        self.out.push_str(name);
        self.steps(steps);
    }

    fn conditional(&mut self, node: &Conditional) {
        self.operand(&node.when, Binding::Or);
        self.out.push_str(" ? ");
        self.operand(&node.then, Binding::Or);
        self.out.push_str(" : ");
        self.node(&node.otherwise);
    }

    fn fallback(&mut self, fallback: &Fallback) {
        match fallback.alternative {
            Alternative::Default => self.function("default", &[&fallback.value, &fallback.otherwise]),
            Alternative::OrValue => self.method(&fallback.value, "orValue", &[&fallback.otherwise]),
            Alternative::Or => self.method(&fallback.value, "or", &[&fallback.otherwise]),
        }
    }

    fn each(&mut self, list: &Node, local: &Local, (when, body): (Option<&Node>, &Node)) {
        self.operand(list, Binding::Operand);
        let name = self.bound(local);
        self.push(format_args!(".map({name}"));
        for node in when.into_iter().chain([body]) {
            self.out.push_str(", ");
            self.node(node);
        }
        self.out.push(')');
        self.locals.pop();
    }

    fn text(&mut self, parts: &[TextPart]) {
        let text: String = parts.iter().map(|part| self.text_part(part)).collect();
        self.push(format_args!("\"{text}\""));
    }

    /// A part of a text; the printer's own locals are known inside.
    fn text_part(&mut self, part: &TextPart) -> String {
        let value = match part {
            TextPart::Literal(text) => return text.to_string(),
            TextPart::Value(node) => node,
        };
        let start = self.out.len();
        self.node(value);
        format!("{{{}}}", self.out.split_off(start))
    }

    fn operand(&mut self, node: &Node, least: Binding) {
        if binding(node) >= least {
            return self.node(node);
        }
        self.out.push('(');
        self.node(node);
        self.out.push(')');
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Member(name, _) if is_name(name) => self.push(format_args!(".{name}")),
                Step::Member(name, _) => self.push(format_args!("['{name}']")),
                Step::Index(index, _) => self.push(format_args!("[{index}]")),
            }
        }
    }

    fn prefixed(&mut self, sign: &str, inner: &Node) {
        self.out.push_str(sign);
        self.operand(inner, Binding::Unary);
    }

    fn arithmetic(&mut self, chain: &Arithmetic) {
        let sum = chain.rest.first().is_none_or(|(infix, _)| matches!(infix, Infix::Add | Infix::Subtract));
        let (own, tighter) = if sum { (Binding::Sum, Binding::Product) } else { (Binding::Product, Binding::Unary) };
        self.operand(&chain.first, own);
        for (infix, node) in &chain.rest {
            let sign = match infix {
                Infix::Add => "+",
                Infix::Subtract => "-",
                Infix::Multiply => "*",
                Infix::Divide => "/",
                Infix::Remainder => "%",
            };
            self.push(format_args!(" {sign} "));
            self.operand(node, tighter);
        }
    }

    fn relation(&mut self, relation: &Relation) {
        self.operand(&relation.left, Binding::Sum);
        self.out.push_str(match relation.operator {
            Relational::Equal => " == ",
            Relational::NotEqual => " != ",
            Relational::Less => " < ",
            Relational::LessEqual => " <= ",
            Relational::Greater => " > ",
            Relational::GreaterEqual => " >= ",
            Relational::In => " in ",
        });
        self.operand(&relation.right, Binding::Sum);
    }

    fn separated(&mut self, nodes: &[Node], separator: &str, least: Binding) {
        for (index, node) in nodes.iter().enumerate() {
            self.out.push_str(if index > 0 { separator } else { "" });
            self.operand(node, least);
        }
    }

    fn library(&mut self, call: &Call) {
        let arguments: Vec<&Node> = call.arguments.iter().collect();
        match arguments.split_first() {
            Some((receiver, rest)) if call.function.is_method() => self.method(receiver, call.function.name(), rest),
            _ => self.function(call.function.name(), &arguments),
        }
    }

    fn function(&mut self, name: &str, arguments: &[&Node]) {
        self.push(format_args!("{name}("));
        self.arguments(arguments);
        self.out.push(')');
    }

    fn method(&mut self, receiver: &Node, name: &str, arguments: &[&Node]) {
        self.operand(receiver, Binding::Operand);
        self.push(format_args!(".{name}("));
        self.arguments(arguments);
        self.out.push(')');
    }

    fn arguments(&mut self, arguments: &[&Node]) {
        for (index, argument) in arguments.iter().enumerate() {
            self.out.push_str(if index > 0 { ", " } else { "" });
            self.node(argument);
        }
    }

    fn bind(&mut self, bind: &Bind) {
        // The value is printed before its name is bound: it does not see it.
        let start = self.out.len();
        let least = if bind.binder == Binder::Plain { Binding::Conditional } else { Binding::Operand };
        self.operand(&bind.value, least);
        let value = self.out.split_off(start);
        let name = self.bound(&bind.local);
        match bind.binder {
            Binder::Plain => self.push(format_args!("cel.bind({name}, {value}, ")),
            Binder::OptionalMap => self.push(format_args!("{value}.optMap({name}, ")),
            Binder::OptionalFlatMap => self.push(format_args!("{value}.optFlatMap({name}, ")),
        }
        self.node(&bind.body);
        self.out.push(')');
        self.locals.pop();
    }

    fn comprehension(&mut self, node: &Comprehension) {
        self.operand(&node.range, Binding::Operand);
        let name = match node.fold {
            Fold::All => "all",
            Fold::Exists => "exists",
            Fold::ExistsOne => "exists_one",
            Fold::Filter => "filter",
            Fold::List if node.key.is_some() => "transformList",
            Fold::List => "map",
            Fold::Map => "transformMap",
            Fold::MapEntry => "transformMapEntry",
            Fold::SortBy => "sortBy",
        };
        self.push(format_args!(".{name}("));
        let bound = self.locals.len();
        if let Some(key) = &node.key {
            let name = self.bound(key);
            self.push(format_args!("{name}, "));
        }
        let name = self.bound(&node.item);
        self.out.push_str(&name);
        for inner in node.when.iter().chain([&node.body]) {
            self.out.push_str(", ");
            self.node(inner);
        }
        self.out.push(')');
        self.locals.truncate(bound);
    }

    fn list<'a>(&mut self, elements: impl Iterator<Item = (bool, &'a Node)>) {
        self.out.push('[');
        for (index, (optional, element)) in elements.enumerate() {
            self.out.push_str(if index > 0 { ", " } else { "" });
            self.out.push_str(if optional { "?" } else { "" });
            self.node(element);
        }
        self.out.push(']');
    }

    fn object<'a>(&mut self, entries: impl Iterator<Item = (Key<'a>, Option<&'a Node>, &'a Node)>) {
        self.out.push('{');
        for (index, (key, when, value)) in entries.enumerate() {
            self.out.push_str(if index > 0 { ", " } else { "" });
            match key {
                Key::Name(name) if is_name(name) => self.out.push_str(name),
                Key::Name(name) => self.push(format_args!("'{name}'")),
                Key::Node(node, optional) => {
                    self.out.push_str(if optional { "?" } else { "" });
                    self.node(node);
                }
            }
            self.out.push_str(": ");
            self.node(value);
            if let Some(when) = when {
                self.out.push_str(" when ");
                self.node(when);
            }
        }
        self.out.push('}');
    }

    fn constant(&mut self, value: &Value<'_>) {
        match value {
            Value::Text(text) => self.push(format_args!("'{}'", text.escape_debug())),
            Value::Uint(number) => self.push(format_args!("{number}u")),
            Value::Double(number) => self.push(format_args!("{number:?}")),
            Value::Timestamp(_) => self.converted("timestamp", value),
            Value::Duration(_) => self.converted("duration", value),
            Value::Bytes(_) => self.converted("base64.decode", value),
            Value::Type(name) => self.out.push_str(name),
            Value::Optional(None) => self.out.push_str("none"),
            Value::Optional(Some(value)) => self.constant(value),
            Value::List(values) => {
                self.out.push('[');
                for (index, value) in values.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    self.constant(value);
                }
                self.out.push(']');
            }
            Value::Map(entries) => {
                self.out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    self.constant(key);
                    self.out.push_str(": ");
                    self.constant(value);
                }
                self.out.push('}');
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::View(_) | Value::Held(_) => {
                self.out.push_str(&json(value));
            }
        }
    }

    /// A constant that is written by converting text.
    fn converted(&mut self, function: &str, value: &Value<'_>) {
        let text = json(value);
        self.push(format_args!("{function}('{}')", text.trim_matches('"')));
    }

    /// Binds a local to its name. Where parts put programs inside one another that name may be taken.
    fn bound(&mut self, local: &Local) -> String {
        let name = self.fresh(&local.name);
        self.locals.push((local.id, name.clone()));
        name
    }

    /// The name itself, or with a number where it is taken.
    fn fresh(&self, name: &str) -> String {
        let taken = |name: &str| self.locals.iter().any(|(_, known)| known == name);
        let mut fresh = name.to_owned();
        let mut number = 2;
        while taken(&fresh) {
            fresh = format!("{name}{number}");
            number += 1;
        }
        fresh
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(text);
    }
}

/// The key of an entry.
enum Key<'a> {
    /// As written.
    Name(&'a str),
    /// Computed; whether the entry is left out when its value is an empty optional.
    Node(&'a Node, bool),
}

fn binding(node: &Node) -> Binding {
    match node {
        Node::Conditional(_) => Binding::Conditional,
        Node::Or(..) => Binding::Or,
        Node::And(..) => Binding::And,
        Node::Relation(_) => Binding::Relation,
        Node::Arithmetic(chain) => match chain.rest.first() {
            Some((Infix::Multiply | Infix::Divide | Infix::Remainder, _)) => Binding::Product,
            _ => Binding::Sum,
        },
        Node::Not(..) | Node::Negate(..) => Binding::Unary,
        Node::Leaf(inner) => binding(inner),
        Node::Inspected(inspected) => binding(&inspected.node),
        Node::Outcome { otherwise, .. } => binding(otherwise),
        _ => Binding::Operand,
    }
}

fn json(value: &Value<'_>) -> String {
    let mut json = JsonWriter::default();
    match json.value(value) {
        Ok(()) => String::from_utf8_lossy(&json.bytes).into_owned(),
        // Only numbers that JSON does not have.
        Err(_) => "double('NaN')".to_owned(),
    }
}

/// Whether a member can be written with a dot, and an entry without quotes.
fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !is_word(text)
}
