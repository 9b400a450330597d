//! What functions take and give, as the checker sees it.

use crate::expr::types::Type;

/// One overload of a function.
#[derive(Debug)]
pub(in crate::expr) struct Signature {
    pub(in crate::expr) takes: &'static [Is],
    /// What every further argument must be; `None` allows none.
    pub(in crate::expr) more: Option<Is>,
    pub(in crate::expr) gives: Gives,
}

/// A signature with exactly these arguments.
pub(super) const fn takes(takes: &'static [Is], gives: Gives) -> Signature {
    Signature { takes, more: None, gives }
}

/// A signature with these arguments and any number of a kind after them.
pub(super) const fn takes_more(takes: &'static [Is], more: Is, gives: Gives) -> Signature {
    Signature { takes, more: Some(more), gives }
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expr) enum Is {
    /// Anything, null too.
    Any,
    Bool,
    Int,
    Uint,
    /// Int or uint.
    Whole,
    Double,
    Number,
    Text,
    Bytes,
    Timestamp,
    Duration,
    List,
    /// A list of text.
    Texts,
    /// A list of numbers or of durations.
    Addends,
    Map,
    Optional,
}

/// What a call gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expr) enum Gives {
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Timestamp,
    Duration,
    /// A list of text.
    Texts,
    /// A list of int.
    Ints,
    /// The type of the first argument.
    Same,
    /// The type that holds all arguments.
    Joined,
    /// The element type of the first argument.
    Element,
    /// The same or null.
    ElementOrNull,
    /// `optional` of the element type of the first argument.
    OptionalElement,
    /// The first argument, its inner lists joined.
    Flat,
    /// `optional` of the first argument.
    Optional,
    /// What the first argument, an optional, may hold.
    Held,
    /// A type as a value.
    Type,
}

/// Whether a type is what an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expr) enum Fit {
    /// It is, or only run time can tell.
    Yes,
    /// It is unless it is null.
    UnlessNull,
    /// It is not.
    No,
}

/// Why arguments do not fit any overload.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::expr) enum Misfit {
    /// No overload takes so many arguments; these counts would do.
    Count { least: usize, most: Option<usize> },
    /// This argument may be null.
    Nullable { argument: usize },
    /// This argument is of a type that no overload takes there; these would do.
    Type { argument: usize, wanted: Vec<Is> },
}

/// The type that a call gives; several overloads fit where a type is not known.
pub(super) fn check(signatures: &[Signature], arguments: &[Type]) -> Result<Type, Misfit> {
    let counted: Vec<&Signature> = signatures.iter().filter(|signature| signature.counts(arguments.len())).collect();
    if counted.is_empty() {
        let least = signatures.iter().map(|signature| signature.takes.len()).min().unwrap_or(0);
        let open = signatures.iter().any(|signature| signature.more.is_some());
        let most = signatures.iter().map(|signature| signature.takes.len()).max();
        return Err(Misfit::Count { least, most: most.filter(|_| !open) });
    }
    let fitting = counted.iter().filter(|signature| signature.misfit(arguments).is_none());
    let joined = fitting.map(|signature| signature.gives.result(arguments)).reduce(|a, b| a.join(&b));
    if let Some(ty) = joined {
        return Ok(ty);
    }
    // The overload that fits furthest is the one that was meant.
    let misfits = counted.iter().filter_map(|signature| signature.misfit(arguments));
    let furthest = misfits.max_by_key(|(argument, fit, _)| (*argument, *fit == Fit::UnlessNull));
    Err(match furthest {
        Some((argument, Fit::UnlessNull, _)) => Misfit::Nullable { argument },
        Some((argument, ..)) => {
            let wanted = counted.iter().filter_map(|signature| signature.misfit(arguments));
            let wanted = wanted.filter(|(at, ..)| *at == argument).map(|(_, _, wanted)| wanted).collect();
            Misfit::Type { argument, wanted }
        }
        None => Misfit::Count { least: 0, most: None },
    })
}

impl Signature {
    fn counts(&self, arguments: usize) -> bool {
        arguments == self.takes.len() || (arguments > self.takes.len() && self.more.is_some())
    }

    /// The first argument that does not fit.
    fn misfit(&self, arguments: &[Type]) -> Option<(usize, Fit, Is)> {
        let wanted = self.takes.iter().copied().chain(std::iter::repeat(self.more.unwrap_or(Is::Any)));
        let mut fits = arguments.iter().zip(wanted).enumerate();
        fits.find_map(|(at, (ty, is))| Some((at, is.fit(ty), is)).filter(|(_, fit, _)| *fit != Fit::Yes))
    }
}

impl Is {
    /// Whether a value of this type will do.
    pub(in crate::expr) fn fit(self, ty: &Type) -> Fit {
        if self == Self::Any || ty.is_unknown() {
            return Fit::Yes;
        }
        if let Type::Nullable(inner) = ty {
            return if self.fit(inner) == Fit::Yes { Fit::UnlessNull } else { Fit::No };
        }
        let number = |ty: &Type| ty.is_number() || ty.is_unknown();
        let fits = match self {
            Self::Any => true,
            Self::Bool => matches!(ty, Type::Bool),
            Self::Int => matches!(ty, Type::Int),
            Self::Uint => matches!(ty, Type::Uint),
            Self::Whole => matches!(ty, Type::Int | Type::Uint),
            Self::Double => matches!(ty, Type::Double),
            Self::Number => ty.is_number(),
            Self::Text => matches!(ty, Type::Text),
            Self::Bytes => matches!(ty, Type::Bytes),
            Self::Timestamp => matches!(ty, Type::Timestamp),
            Self::Duration => matches!(ty, Type::Duration),
            Self::List => matches!(ty, Type::List(_)),
            Self::Texts => matches!(ty, Type::List(item) if item.ty.is_unknown() || matches!(item.ty, Type::Text)),
            Self::Addends => matches!(ty, Type::List(item) if number(&item.ty) || matches!(item.ty, Type::Duration)),
            Self::Map => matches!(ty, Type::Map(_) | Type::Object(_)),
            Self::Optional => matches!(ty, Type::Optional(_)),
        };
        if fits { Fit::Yes } else { Fit::No }
    }

    /// What people call it.
    pub(in crate::expr) fn name(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Whole => "int",
            Self::Double => "double",
            Self::Number => "a number",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::List => "list",
            Self::Texts => "list(string)",
            Self::Addends => "a list of numbers",
            Self::Map => "map",
            Self::Optional => "optional",
        }
    }
}

impl Gives {
    fn result(self, arguments: &[Type]) -> Type {
        let first = arguments.first().unwrap_or(&Type::Dyn);
        let element = || match first.present() {
            Type::List(item) => item.found(),
            _ => Type::Dyn,
        };
        match self {
            Self::Dyn => Type::Dyn,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::Text => Type::Text,
            Self::Bytes => Type::Bytes,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Texts => Type::list(Type::Text),
            Self::Ints => Type::list(Type::Int),
            Self::Type => Type::Type,
            Self::Same => first.clone(),
            Self::Joined => arguments.iter().cloned().reduce(|a, b| a.join(&b)).unwrap_or(Type::Dyn),
            Self::Element => element(),
            Self::ElementOrNull => element().nullable(),
            Self::OptionalElement => element().optional(),
            Self::Flat => match element() {
                Type::List(inner) => Type::List(inner),
                Type::Nullable(inner) if matches!(*inner, Type::List(_)) => Type::list(Type::Dyn),
                item if item.is_unknown() => Type::list(Type::Dyn),
                item => Type::list(item),
            },
            Self::Optional => first.clone().optional(),
            Self::Held => match first {
                Type::Optional(held) => (**held).clone(),
                _ => Type::Dyn,
            },
        }
    }
}
