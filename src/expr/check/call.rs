//! Calls of functions: which one is meant, and whether its arguments fit.

use super::{Checker, Operand};

use crate::expr::ast::{Ast, Expression, Name};
use crate::expr::library::{self, Form, Function, Misfit};
use crate::expr::mistake::Mistake;
use crate::expr::node::{Call, Node};
use crate::expr::spelling::nearest;
use crate::expr::types::Type;

/// What functions of other languages are called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("length", "write `.size()`"),
    ("len", "write `.size()`"),
    ("count", "write `.size()`"),
    ("not", "write `!x`"),
    ("coalesce", "write `default(a, b)`"),
    ("ifNull", "write `default(a, b)`"),
    ("toString", "write `string(x)`"),
    ("str", "write `string(x)`"),
    ("float", "write `double(x)`"),
    ("number", "write `double(x)` or `int(x)`"),
    ("includes", "write `.contains(part)` for text, `item in list` for lists"),
    ("toLowerCase", "write `.lowerAscii()`"),
    ("toLower", "write `.lowerAscii()`"),
    ("lower", "write `.lowerAscii()`"),
    ("toUpperCase", "write `.upperAscii()`"),
    ("toUpper", "write `.upperAscii()`"),
    ("upper", "write `.upperAscii()`"),
    ("concat", "write `a + b`"),
    ("forEach", "write `.map(x, …)`"),
    ("find", "write `.filter(x, …)[0]`"),
    ("some", "write `.exists(x, …)`"),
    ("any", "write `.exists(x, …)`"),
    ("every", "write `.all(x, …)`"),
    ("isEmpty", "write `.size() == 0`"),
    ("now", "write `request.time`"),
    ("abs", "write `math.abs(x)`"),
    ("round", "write `math.round(x)`"),
    ("floor", "write `math.floor(x)`"),
    ("ceil", "write `math.ceil(x)`"),
];

/// The arguments of a call, the receiver first: as written and as checked.
struct Arguments<'x> {
    written: Vec<&'x Ast>,
    operands: Vec<Operand>,
}

impl Checker<'_> {
    /// A function, method or macro.
    pub(super) fn call(&mut self, ast: &Ast, target: Option<&Ast>, name: &Name, arguments: &[Ast]) -> Operand {
        if let Some(operand) = self.macro_call(ast, target, name, arguments) {
            return operand;
        }
        let namespace = target.and_then(|target| self.namespace(target));
        let (target, full_name) = match namespace {
            Some(namespace) => (None, format!("{namespace}.{}", name.text)),
            None => (target, name.text.clone()),
        };
        let written: Vec<&Ast> = target.into_iter().chain(arguments).collect();
        let operands = written.iter().map(|argument| self.operand(argument)).collect();
        if full_name == "int" {
            // Whoever writes `int(a / b)` wants the whole number.
            self.warnings.retain(|warning| written.iter().all(|argument| argument.bytes() != warning.bytes));
        }
        let arguments = Arguments { written, operands };
        let Some(function) = library::find(&full_name) else {
            self.unknown_function(&full_name, name);
            return Operand::unknown();
        };
        match (function.form, target) {
            (Form::Method, None) => {
                let help = format!("write `x.{full_name}(…)`");
                let message = format!("`{full_name}` is called on a value");
                self.mistake(Mistake::new(name.bytes.clone(), message).help(help));
                return Operand::unknown();
            }
            (Form::Global, Some(_)) => {
                let help = format!("write `{full_name}(x)`");
                let message = format!("`{full_name}` is not called on a value");
                self.mistake(Mistake::new(name.bytes.clone(), message).help(help));
                return Operand::unknown();
            }
            _ => {}
        }
        self.apply(ast, function, arguments)
    }

    /// Checks the arguments of a function and puts the call together.
    fn apply(&mut self, ast: &Ast, function: &'static Function, arguments: Arguments<'_>) -> Operand {
        let types: Vec<Type> = arguments.operands.iter().map(|operand| operand.ty.clone()).collect();
        let ty = match function.check(&types) {
            Ok(ty) => ty,
            Err(misfit) => {
                self.misfit(ast, function, misfit, &arguments);
                return Operand::unknown();
            }
        };
        let call = Call {
            function,
            arguments: arguments.operands.into_iter().map(|operand| operand.node.walked(&operand.ty)).collect(),
            span: self.span(ast.bytes()),
        };
        self.folded(Operand::new(Node::Call(Box::new(call)), ty), ast.bytes())
    }

    /// Reports why the arguments do not fit.
    fn misfit(&mut self, ast: &Ast, function: &Function, misfit: Misfit, arguments: &Arguments<'_>) {
        let name = function.name;
        let mistake = match misfit {
            Misfit::Nullable { argument } => {
                return self.refuse_null(arguments.written[argument], &format!("`{name}`"));
            }
            Misfit::Count { least, most } => {
                let message = wrong_count(function, (least, most), arguments.written.len());
                Mistake::new(ast.bytes(), message)
            }
            Misfit::Type { argument, wanted } => {
                let mut names: Vec<&str> = wanted.iter().map(|is| is.name()).collect();
                names.dedup();
                let given = &arguments.operands[argument].ty;
                let message = format!("`{name}` takes {} here, not {given}", names.join(" or "));
                let help = match (names.as_slice(), given.present()) {
                    (["string"], given) if given.is_number() => "convert with `string(…)`",
                    (_, Type::Optional(_)) => "give a value: `default(…, …)`",
                    _ => "",
                };
                Mistake::new(arguments.written[argument].bytes(), message).help(help)
            }
        };
        self.mistake(mistake);
    }

    /// The namespace that a target names, unless something else has its name.
    pub(super) fn namespace<'n>(&self, target: &'n Ast) -> Option<&'n str> {
        match &target.expression {
            Expression::Name(name) if library::is_namespace(name) => {
                let hidden = self.locals.iter().any(|local| local.name == *name);
                (!hidden).then_some(name.as_str())
            }
            _ => None,
        }
    }

    fn unknown_function(&mut self, full_name: &str, name: &Name) {
        let known = library::functions().map(|function| function.name).chain(super::macros::names());
        let help = match ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == full_name) {
            Some((_, help)) => (*help).to_owned(),
            None => match nearest(full_name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => String::new(),
            },
        };
        self.mistake(Mistake::new(name.bytes.clone(), format!("unknown function `{full_name}`")).help(help));
    }
}

/// How many arguments a function takes, the receiver of a method not counted.
fn wrong_count(function: &Function, (least, most): (usize, Option<usize>), given: usize) -> String {
    let receiver = usize::from(function.form == Form::Method);
    let counted = |count: usize| count.saturating_sub(receiver);
    let wanted = match most.map(counted) {
        Some(1) if counted(least) == 1 => "1 argument".to_owned(),
        Some(most) if most == counted(least) => format!("{most} arguments"),
        Some(most) => format!("{} to {most} arguments", counted(least)),
        None => format!("at least {} arguments", counted(least)),
    };
    format!("`{}` takes {wanted}, not {}", function.name, counted(given))
}
