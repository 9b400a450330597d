//! Expressions: parsed, checked, evaluated and written.

use std::sync::LazyLock;

use selvedge::base::value::{Doc, Held, JsonWriter, Value, View};
use selvedge::expr::{Binding, Budget, Env, Failures, Mistake, Scope, Type, Unresolved, Var, Written};
use selvedge::expr::{check, eval, parse, split, write};

use super::Target;

/// See [`run`].
pub const TARGET: Target = Target {
    name: "expression",
    promise: "an expression is refused with places in its text, or evaluated within its budget, and written as it was",
    run,
    words: &[
        "d",
        "d.a",
        "d.l",
        "d.t",
        "d.n",
        "d.x.y",
        "n",
        "t",
        "[0]",
        "[-1]",
        "['a']",
        ".?a",
        "[?0]",
        "has(",
        "default(",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        " ? ",
        " : ",
        " == ",
        " != ",
        " < ",
        " >= ",
        " in ",
        " && ",
        " || ",
        "!",
        "-",
        " + ",
        " - ",
        " * ",
        " / ",
        " % ",
        "'a'",
        "\"\\u00e9\"",
        "b'\\xff'",
        "r'\\d'",
        "'''",
        "1u",
        "1.5",
        "0x7fffffffffffffff",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "null",
        "true",
        ".map(x, x)",
        ".filter(x, x > 1)",
        ".all(x, true)",
        ".exists_one(i, v, i > 0)",
        ".sortBy(x, x)",
        ".size()",
        "size(",
        "string(",
        "int(",
        "uint(",
        "double(",
        "timestamp('2024-02-29T00:00:00Z')",
        "duration('-1.5h')",
        ".getFullYear('Europe/Berlin')",
        ".matches('a+')",
        ".split('')",
        ".join('-')",
        ".replace('a', 'b')",
        ".substring(1, 2)",
        ".format([1])",
        ".reverse()",
        ".distinct()",
        ".flatten(2)",
        ".slice(0, 1)",
        "lists.range(9)",
        "math.greatest(",
        "math.bitShiftLeft(1, 2)",
        "base64.decode('YQ==')",
        "base64.encode(b'a')",
        "cel.bind(x, 1, x)",
        "json(",
        "pick(d, 'a')",
        "omit(d, 'a')",
        "sum(",
        "min(",
        "optional.of(1)",
        ".orValue(1)",
        ".optMap(x, x)",
        "type(",
        "dyn(",
        "// c\n",
    ],
    pace: 20,
};

/// What the names of an expression stand for.
static VALUES: LazyLock<Vec<(&str, Held)>> = LazyLock::new(|| {
    let document = r#"{"a":{"b":[1,2.5,"x",null,true]},"l":[3,1,2,1e300,-0],"t":"A long \u00e9 text","n":null,"o":[{"k":"a"},{"k":"b"}]}"#;
    let held = |json: &str| Held::whole(Doc::parse(json.to_owned().into()).expect("the target's JSON is right"));
    vec![("d", held(document)), ("n", held("42")), ("t", held("\"text\""))]
});

/// Text with expressions in it is split; each expression, or the whole text if there is none, is run.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let pieces = match split(&text) {
        Ok(pieces) => pieces,
        Err(mistake) => return is_inside(&mistake, &text),
    };
    let mut is_plain = true;
    for piece in pieces {
        if let selvedge::expr::Piece::Expression(bytes) = piece {
            is_plain = false;
            evaluate(&text[bytes]);
        }
    }
    if is_plain {
        evaluate(&text);
    }
}

fn evaluate(source: &str) {
    let typed = match parse(source).and_then(|ast| check(&ast, &Names)) {
        Ok(typed) => typed,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused for no reason");
            return mistakes.iter().for_each(|mistake| is_inside(mistake, source));
        }
    };
    typed.warnings.iter().for_each(|mistake| is_inside(mistake, source));
    let (world, again) = (World::new(), World::new());
    let evaluated = eval(&typed.node, &world, &mut Failures::default());
    let mut out = JsonWriter::default();
    let written = write(&typed.node, &again, &mut out, &mut Failures::default());
    let Ok(value) = evaluated else { return };
    let kept = match value {
        Value::Optional(_) | Value::Bytes(_) => return,
        value => Held::keep(&value),
    };
    // What is written costs more than what is only made, and numbers that JSON does not have are found then.
    if let (Ok(kept), Ok(Written::Present)) = (kept, written) {
        let written: serde_json::Value = serde_json::from_slice(&out.bytes).unwrap_or(serde_json::Value::Null);
        let kept = serde_json::from_str(&kept.to_json()).unwrap_or(serde_json::Value::Null);
        assert_eq!(written, kept, "{source}");
    }
}

fn is_inside(mistake: &Mistake, text: &str) {
    assert!(
        text.get(mistake.bytes.clone()).is_some(),
        "{:?} of {} bytes: {}",
        mistake.bytes,
        text.len(),
        mistake.message
    );
}

struct Names;

impl Scope for Names {
    fn resolve(&self, name: &str) -> Result<Binding, Unresolved> {
        let at = VALUES.iter().position(|(known, _)| *known == name).ok_or(Unresolved::Unknown)?;
        Ok(Binding::Var { var: Var(u32::try_from(at).unwrap_or(u32::MAX)), ty: Type::Dyn })
    }

    fn names(&self) -> Vec<String> {
        VALUES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

struct World {
    budget: Budget,
}

impl World {
    /// With less to spend than a request has, so that a try is soon over.
    fn new() -> Self {
        Self { budget: Budget::new(20_000, 1 << 20) }
    }
}

impl Env for World {
    fn var(&self, var: Var) -> Value<'_> {
        VALUES[var.0 as usize].1.value()
    }

    fn view(&self, var: Var) -> Option<View<'_>> {
        VALUES[var.0 as usize].1.view()
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }
}
