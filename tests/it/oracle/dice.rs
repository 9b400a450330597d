//! Expressions and values out of random numbers.
//!
//! Every choice takes the next number; when they are used up, each takes its first alternative, which is a leaf. So
//! fewer and smaller numbers make smaller cases, and a failing one shrinks to what matters.

use serde_json::{Value as Json, json};

/// The numbers that are left.
pub(super) struct Dice<'d>(std::slice::Iter<'d, u32>);

impl<'d> Dice<'d> {
    pub(super) fn new(numbers: &'d [u32]) -> Self {
        Self(numbers.iter())
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0.next().map_or(0, |number| *number as usize % sides)
    }

    fn pick(&mut self, choices: &[&str]) -> String {
        choices[self.roll(choices.len())].to_owned()
    }
}

/// An expression of any type over the names of [`bindings`].
pub(super) fn expression(dice: &mut Dice<'_>) -> String {
    match dice.roll(8) {
        0 => any(dice),
        1 => number(dice),
        2 => int(dice),
        3 => uint(dice),
        4 => boolean(dice),
        5 => text(dice),
        6 => numbers(dice),
        _ => texts(dice),
    }
}

/// What the names stand for. Members may be absent and `x` may be anything.
pub(super) fn bindings(dice: &mut Dice<'_>) -> Json {
    let list = |dice: &mut Dice<'_>, item: fn(&mut Dice<'_>) -> Json| -> Json {
        (0..dice.roll(4)).map(|_| item(dice)).collect::<Vec<_>>().into()
    };
    json!({
        "n": json_number(dice),
        "f": dice.roll(2) == 1,
        "t": json_text(dice),
        "o": json_object(dice),
        "l": list(dice, json_number),
        "w": list(dice, json_text),
        "os": list(dice, json_object),
        "x": json_any(dice),
    })
}

/// Integers here have at most 53 bits: longer ones keep their digits in `int(x)`, and lose them in the other evaluator.
fn json_number(dice: &mut Dice<'_>) -> Json {
    let numbers = [
        json!(0),
        json!(1),
        json!(2.5),
        json!(-3),
        json!(0.1),
        json!(7.0),
        json!(-0.0),
        json!(1e300),
        json!(9_007_199_254_740_991_i64),
        json!(-1.5e-9),
    ];
    numbers[dice.roll(numbers.len())].clone()
}

fn json_text(dice: &mut Dice<'_>) -> Json {
    dice.pick(&["", "a", "b", "ab", "é", "😀a", "\"\n\\", "1"]).into()
}

fn json_object(dice: &mut Dice<'_>) -> Json {
    let mut object = serde_json::Map::new();
    object.insert("a".into(), json_number(dice));
    object.insert("b".into(), json_text(dice));
    if dice.roll(3) > 0 {
        object.insert("c".into(), json!({ "d": json_number(dice) }));
    }
    if dice.roll(4) == 1 {
        object.insert("e".into(), Json::Null);
    }
    object.into()
}

fn json_any(dice: &mut Dice<'_>) -> Json {
    match dice.roll(7) {
        0 => Json::Null,
        1 => json_number(dice),
        2 => json_text(dice),
        3 => (dice.roll(2) == 1).into(),
        4 => json_object(dice),
        5 => (0..dice.roll(4)).map(|_| json_any(dice)).collect::<Vec<_>>().into(),
        _ => json!({ "a": json_any(dice), "b": json_any(dice) }),
    }
}

fn any(dice: &mut Dice<'_>) -> String {
    match dice.roll(16) {
        0 => dice.pick(&["x", "x.a", "x.b", "x[0]", "x['a']", "x.a.b", "x.a[1]", "null", "o", "os", "o.e", "os[0]"]),
        1 => number(dice),
        2 => text(dice),
        3 => boolean(dice),
        4 => int(dice),
        5 => uint(dice),
        6 => numbers(dice),
        7 => texts(dice),
        8 => format!("[{}, {}]", any(dice), any(dice)),
        9 => format!("{{'k': {}, 'l': {}}}", any(dice), any(dice)),
        10 => format!("{{'k': {}}}.k", any(dice)),
        11 => format!("[{}][{}]", any(dice), int(dice)),
        12 => format!("os.filter(v, v.a > {})", number(dice)),
        13 => format!("os.map(v, {{'m': v, 'n': {}}})", any(dice)),
        14 => format!("({} ? {} : {})", boolean(dice), any(dice), any(dice)),
        _ => format!("{{{}: {}}}", text(dice), any(dice)),
    }
}

fn number(dice: &mut Dice<'_>) -> String {
    match dice.roll(12) {
        0 => dice.pick(&["n", "o.a", "l[0]", "2.5", "o.c.d", "-0.5", "os[0].a", "o['a']", "1e300", "0.0"]),
        operator @ 1..=4 => {
            format!("({} {} {})", number(dice), ["+", "-", "*", "/"][operator - 1], number(dice))
        }
        5 => format!("-({})", number(dice)),
        6 => format!("double({})", int(dice)),
        7 => format!("({} ? {} : {})", boolean(dice), number(dice), number(dice)),
        8 => format!("l[{}]", int(dice)),
        9 => format!("{}[0]", numbers(dice)),
        10 => format!("double({})", uint(dice)),
        _ => format!("double({})", number(dice)),
    }
}

fn int(dice: &mut Dice<'_>) -> String {
    match dice.roll(14) {
        0 => dice.pick(&["0", "1", "2", "-1", "3", "9223372036854775807", "-9223372036854775808", "0x10"]),
        operator @ 1..=5 => {
            format!("({} {} {})", int(dice), ["+", "-", "*", "/", "%"][operator - 1], int(dice))
        }
        6 => format!("size({})", text(dice)),
        7 => format!("size({})", numbers(dice)),
        8 => format!("int({})", number(dice)),
        9 => format!("({} ? {} : {})", boolean(dice), int(dice), int(dice)),
        10 => format!("-({})", int(dice)),
        11 => format!("{}.size()", texts(dice)),
        12 => format!("int({})", uint(dice)),
        _ => "size(o)".to_owned(),
    }
}

fn uint(dice: &mut Dice<'_>) -> String {
    match dice.roll(8) {
        0 => dice.pick(&["1u", "0u", "7u", "18446744073709551615u"]),
        operator @ 1..=5 => {
            format!("({} {} {})", uint(dice), ["+", "-", "*", "/", "%"][operator - 1], uint(dice))
        }
        6 => format!("uint({})", int(dice)),
        _ => format!("uint({})", number(dice)),
    }
}

const RELATIONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];

fn boolean(dice: &mut Dice<'_>) -> String {
    let (relation, side) = (dice.pick(RELATIONS), dice.roll(2));
    match dice.roll(18) {
        0 => dice.pick(&["f", "true", "false", "x", "has(o.c)", "has(o.e)", "has(x.a)", "'c' in o", "'e' in o"]),
        1 => format!("{} {relation} {}", number(dice), number(dice)),
        2 => format!("{} {relation} {}", int(dice), int(dice)),
        3 => format!("{} {relation} {}", text(dice), text(dice)),
        4 => format!("{} {relation} {}", int(dice), number(dice)),
        5 => format!("{} {relation} {}", number(dice), uint(dice)),
        6 => format!("{} {relation} {}", uint(dice), int(dice)),
        7 => format!("({} && {})", boolean(dice), boolean(dice)),
        8 => format!("({} || {})", boolean(dice), boolean(dice)),
        9 => format!("!({})", boolean(dice)),
        10 => {
            let method = dice.pick(&["contains", "startsWith", "endsWith"]);
            format!("{}.{method}({})", text(dice), text(dice))
        }
        11 => {
            let name = dice.pick(&["all", "exists", "exists_one"]);
            format!("{}.{name}(v, v {relation} {})", numbers(dice), number(dice))
        }
        12 => format!("{} {} {}", any(dice), RELATIONS[side], any(dice)),
        13 => format!("{} in {}", number(dice), numbers(dice)),
        14 => format!("{} in {}", text(dice), texts(dice)),
        15 => format!("{}.matches('{}')", text(dice), dice.pick(&["a", "^a?$", "[b-é]+", "(a|1)$", ""])),
        16 => format!("{} {} {}", numbers(dice), RELATIONS[side], numbers(dice)),
        _ => format!("{}.exists(v, v.contains({}) && {})", texts(dice), text(dice), boolean(dice)),
    }
}

fn text(dice: &mut Dice<'_>) -> String {
    match dice.roll(9) {
        0 => dice.pick(&["t", "o.b", "w[0]", "'x'", "''", "'é😀'", r"'a\n\u00e9'", "r'\\'", "os[1].b"]),
        1 | 2 => format!("({} + {})", text(dice), text(dice)),
        3 => format!("({} ? {} : {})", boolean(dice), text(dice), text(dice)),
        4 => format!("string({})", int(dice)),
        5 => format!("string({})", uint(dice)),
        6 => format!("{}[{}]", texts(dice), int(dice)),
        7 => format!("string({})", text(dice)),
        _ => format!("w[{}]", int(dice)),
    }
}

fn numbers(dice: &mut Dice<'_>) -> String {
    match dice.roll(9) {
        0 => dice.pick(&["l", "[]", "[1.0]", "[n]"]),
        1 => format!("[{}, {}]", number(dice), number(dice)),
        2 => format!("({} + {})", numbers(dice), numbers(dice)),
        3 => format!("{}.filter(v, v > {})", numbers(dice), number(dice)),
        4 => format!("{}.map(v, v * {})", numbers(dice), number(dice)),
        5 => format!("{}.map(v, v <= {}, v - {})", numbers(dice), number(dice), number(dice)),
        6 => format!("{}.map(v, double(size(v)) + {})", texts(dice), number(dice)),
        7 => "os.map(v, v.a)".to_owned(),
        _ => format!("({} ? {} : {})", boolean(dice), numbers(dice), numbers(dice)),
    }
}

fn texts(dice: &mut Dice<'_>) -> String {
    match dice.roll(8) {
        0 => dice.pick(&["w", "['a']", "[t]"]),
        1 => format!("[{}, {}]", text(dice), text(dice)),
        2 => format!("({} + {})", texts(dice), texts(dice)),
        3 => format!("{}.filter(v, v != {})", texts(dice), text(dice)),
        4 => format!("{}.map(v, v + {})", texts(dice), text(dice)),
        5 => "os.map(v, v.b)".to_owned(),
        6 => format!("os.filter(v, {}).map(v, v.b)", boolean(dice)),
        _ => format!("({} ? {} : {})", boolean(dice), texts(dice), texts(dice)),
    }
}
