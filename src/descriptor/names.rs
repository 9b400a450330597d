//! What the names in descriptors stand for. Source: the rules of scopes in
//! protobuf.dev/reference/protobuf/proto3-spec and `DescriptorBuilder::LookupSymbol` as the language guide tells it.

use std::collections::HashMap;

/// Something with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    Package,
    /// A message, by its position.
    Message(u32),
    /// An enumeration, by its position.
    Enum(u32),
    Extension,
    Service,
    /// A field, a oneof, a value or a rpc: nothing that a type could be, or be found in.
    Member,
}

/// All names of the files of a pool.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    by_name: HashMap<String, (Symbol, u32)>,
}

impl Symbols {
    /// Adds a name that a file defines. `Err` holds the file that defines it already.
    pub(super) fn add(&mut self, full_name: &str, symbol: Symbol, file: u32) -> Result<(), u32> {
        match self.by_name.get(full_name) {
            Some((Symbol::Package, _)) if symbol == Symbol::Package => Ok(()),
            Some((_, other)) => Err(*other),
            None => {
                self.by_name.insert(full_name.to_owned(), (symbol, file));
                Ok(())
            }
        }
    }

    /// What a name stands for in a scope such as `shop.v1.Order`: the nearest that `wanted` takes, in files that
    /// are `visible`. A name that begins with a dot is whole.
    pub(super) fn resolve(
        &self,
        (name, scope): (&str, &str),
        visible: &[u32],
        wanted: impl Fn(Symbol) -> bool,
    ) -> Option<Symbol> {
        let find = |full_name: &str| {
            let (symbol, file) = self.by_name.get(full_name).copied()?;
            (symbol == Symbol::Package || visible.binary_search(&file).is_ok()).then_some(symbol)
        };
        if let Some(whole) = name.strip_prefix('.') {
            return find(whole).filter(|symbol| wanted(*symbol));
        }
        let first = name.split('.').next().unwrap_or(name);
        let mut scope = Some(scope);
        while let Some(around) = scope {
            let dot = if around.is_empty() { "" } else { "." };
            let found = find(&format!("{around}{dot}{name}")).filter(|symbol| wanted(*symbol));
            if found.is_some() {
                return found;
            }
            // A message hides what is farther out, whether it has the rest of the name or not.
            if first != name && matches!(find(&format!("{around}{dot}{first}")), Some(Symbol::Message(_))) {
                return None;
            }
            scope = if around.is_empty() { None } else { Some(around.rsplit_once('.').map_or("", |(outer, _)| outer)) };
        }
        None
    }

    /// The full names of what `wanted` takes.
    pub(super) fn names(&self, wanted: impl Fn(Symbol) -> bool) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.by_name.iter().filter(|(_, (symbol, _))| wanted(*symbol)).map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names
    }
}

/// Whether a text is a name as files write it.
pub(super) fn is_identifier(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// `priceCents` for `price_cents`. Source: protobuf.dev/programming-guides/json, "field names".
pub(super) fn json_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raised = false;
    for c in name.chars() {
        match c {
            '_' => raised = true,
            c if raised => {
                out.push(c.to_ascii_uppercase());
                raised = false;
            }
            c => out.push(c),
        }
    }
    out
}
