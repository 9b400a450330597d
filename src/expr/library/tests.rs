//! What `library` does, claim by claim.

use crate::expr::ErrorKind;
use crate::expr::tests::World;

/// Values come through `d`, so that nothing is computed at load.
fn world() -> World {
    World::new().with(
        "d",
        r#"{"s": "Ünï code", "n": 12, "f": 1.50, "big": 12345678901234567890, "l": [3, 1, 2, 3], "t": "2024-02-29T23:04:05.067Z",
            "m": {"a": 1, "b": [true], "c": null}, "w": ["x", "y"], "e": "", "ll": [[1, [2]], 3, null], "sp": "  a b ", "csv": "a,b,,c"}"#,
    )
}

#[test]
fn text_functions_count_code_points() {
    for (source, json) in [
        ("d.s.size()", "8"),
        ("size(d.s)", "8"),
        ("d.s.contains('ï c')", "true"),
        ("d.s.startsWith('Ün') && d.s.endsWith('code')", "true"),
        ("d.s.lowerAscii()", "\"Ünï code\""),
        ("d.s.upperAscii()", "\"ÜNï CODE\""),
        ("d.sp.trim()", "\"a b\""),
        ("d.csv.split(',')", r#"["a","b","","c"]"#),
        ("d.csv.split(',', 2)", r#"["a","b,,c"]"#),
        ("d.csv.split(',', 0)", "[]"),
        ("d.w[0].split('')", r#"["x"]"#),
        ("d.s.split('').size()", "8"),
        ("d.e.split(',')", r#"[""]"#),
        ("d.w.join('-')", "\"x-y\""),
        ("d.w.join()", "\"xy\""),
        ("d.csv.replace(',', ';')", "\"a;b;;c\""),
        ("d.csv.replace(',', ';', 1)", "\"a;b,,c\""),
        ("d.s.substring(2)", "\"ï code\""),
        ("d.s.substring(0, 3)", "\"Ünï\""),
        ("d.s.indexOf('c')", "4"),
        ("d.s.indexOf('z')", "-1"),
        ("d.csv.indexOf(',', 2)", "3"),
        ("d.csv.lastIndexOf(',')", "4"),
        ("d.s.charAt(0)", "\"Ü\""),
        ("d.s.charAt(8)", "\"\""),
        ("d.w[0].reverse() + d.s.reverse()", "\"xedoc ïnÜ\""),
        ("strings.quote(d.w[0] + '\"\\n')", r#""\"x\\\"\\n\"""#),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("d.s.charAt(9)"), ErrorKind::NoSuchIndex);
    assert_eq!(world().error("d.s.substring(3, 1)"), ErrorKind::Argument);
    assert_eq!(world().error("d.n.contains('1')"), ErrorKind::Type);
    assert_eq!(world().error("d.x.contains('1')"), ErrorKind::Null);
}

#[test]
fn conversions_are_exact_or_fail() {
    for (source, json) in [
        ("string(d.n) + string(1.0) + string(0.1) + string(1e21)", "\"1210.11e+21\""),
        ("string(d.big)", "\"12345678901234567890\""),
        ("string(d.f)", "\"1.5\""),
        ("string(d.l.size() > 1)", "\"true\""),
        ("string(bytes(d.s))", "\"Ünï code\""),
        ("int(d.n) + int('-5') + int(2.9)", "9"),
        ("uint(d.big)", "12345678901234567890"),
        ("double('1.5') + double(d.n)", "13.5"),
        ("bool('true') && bool('1')", "true"),
        ("int(timestamp(d.t))", "1709247845"),
        ("string(timestamp(d.t))", "\"2024-02-29T23:04:05.067Z\""),
        ("timestamp(0)", "\"1970-01-01T00:00:00Z\""),
        ("string(duration('1h30m1.5s'))", "\"5401.5s\""),
        ("duration('-1.5ms')", "\"-0.001500s\""),
        ("duration(string(d.n) + 's')", "\"12s\""),
        ("bytes(d.w[0])", "\"eA==\""),
        ("dyn(1) == 1", "true"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    for (source, kind) in [
        ("int(d.s)", ErrorKind::Conversion),
        ("int(d.big)", ErrorKind::Overflow),
        ("int(double(d.big))", ErrorKind::Overflow),
        ("uint(-d.n)", ErrorKind::Overflow),
        ("double(d.s)", ErrorKind::Conversion),
        ("bool(d.s)", ErrorKind::Conversion),
        ("timestamp(d.s)", ErrorKind::Conversion),
        ("duration(d.s)", ErrorKind::Conversion),
        ("string(d.l)", ErrorKind::Type),
        ("string(d.x)", ErrorKind::Null),
    ] {
        assert_eq!(world().error(source), kind, "{source}");
    }
}

#[test]
fn times_are_read_and_reckoned_with() {
    for (source, json) in [
        ("timestamp(d.t).getFullYear()", "2024"),
        ("timestamp(d.t).getMonth()", "1"),
        ("timestamp(d.t).getDate()", "29"),
        ("timestamp(d.t).getDayOfMonth()", "28"),
        ("timestamp(d.t).getDayOfWeek()", "4"),
        ("timestamp(d.t).getDayOfYear()", "59"),
        ("timestamp(d.t).getHours()", "23"),
        ("timestamp(d.t).getHours('+02:00')", "1"),
        ("timestamp(d.t).getDate('02:00')", "1"),
        ("timestamp(d.t).getMinutes()", "4"),
        ("timestamp(d.t).getMinutes('-00:30')", "34"),
        ("timestamp(d.t).getSeconds()", "5"),
        ("timestamp(d.t).getMilliseconds('UTC')", "67"),
        ("timestamp(d.t).getHours('Europe/Berlin')", "0"),
        ("timestamp('2024-06-30T22:00:00Z').getDate('Europe/Berlin')", "1"),
        ("timestamp('2150-06-30T22:00:00Z').getDate('Europe/Berlin')", "1"),
        ("duration('90m').getHours()", "1"),
        ("duration('90m').getMinutes()", "90"),
        ("timestamp(d.t) + duration('1m') > timestamp(d.t)", "true"),
        ("timestamp('2024-03-01T00:00:00Z') - timestamp(d.t)", "\"3354.933s\""),
        ("duration('1s') - duration('1500ms')", "\"-0.500s\""),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("timestamp(d.t).getHours('Europe/Nowhere')"), ErrorKind::Argument);
    assert_eq!(world().error("timestamp('9999-01-01T00:00:00Z') - timestamp(d.t)"), ErrorKind::Overflow);
    assert_eq!(world().error("timestamp(d.t) + duration('87600000h')"), ErrorKind::Overflow);
}

#[test]
fn list_functions_keep_order_and_refuse_mixed_types() {
    for (source, json) in [
        ("d.l.size() + size(d.m)", "7"),
        ("d.l.sum()", "9"),
        ("sum(d.l)", "9"),
        ("[].sum()", "0"),
        ("d.l.map(x, int(x)).sum() / 2", "4"),
        ("[duration('1s'), duration('2s')].sum()", "\"3s\""),
        ("d.l.min()", "1"),
        ("max(d.l)", "3"),
        ("max(1, 2.5, 2u)", "2.5"),
        ("min(d.n, 3)", "3"),
        ("d.w.max()", "\"y\""),
        ("[].max()", "null"),
        ("d.ll.flatten()", "[1,[2],3,null]"),
        ("d.ll.flatten(2)", "[1,2,3,null]"),
        ("d.l.distinct()", "[3,1,2]"),
        ("d.l.sort()", "[1,2,3,3]"),
        ("d.l.reverse()", "[3,2,1,3]"),
        ("d.l.slice(1, 3)", "[1,2]"),
        ("d.l.first().value()", "3"),
        ("d.e.split('').first().hasValue()", "false"),
        ("d.w.last().value()", "\"y\""),
        ("lists.range(3)", "[0,1,2]"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("[d.s, d.n].max()"), ErrorKind::Type);
    assert_eq!(world().error("[d.s, d.n].sort()"), ErrorKind::Type);
    assert_eq!(world().error("[d.n, d.x].sum()"), ErrorKind::Null);
    assert_eq!(world().error("d.w.sum()"), ErrorKind::Type);
    assert_eq!(world().error("d.l.slice(1, 9)"), ErrorKind::Argument);
}

#[test]
fn texts_are_formatted_as_in_cel_go() {
    for (source, json) in [
        ("'%s of %d%%'.format([d.s, d.n])", "\"Ünï code of 12%\""),
        ("'%.2f %e'.format([d.f, 0.00015])", "\"1.50 1.500000e-04\""),
        ("'%x %X %o %b %b'.format([-255, 'az', 8u, 5, true])", "\"-ff 617A 10 101 1\""),
        ("'%s'.format([[d.l, null, {'b': 1, 'a': 'x'}]])", "\"[[3, 1, 2, 3], null, {a: x, b: 1}]\""),
        ("d.e.format([])", "\"\""),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    for source in [
        "'%d'.format([])",
        "'%y'.format([1])",
        "'%'.format([1])",
        "'%.'.format([1])",
        "'%.9999999999f'.format([1])",
        "'%.1101f'.format([1])",
    ] {
        assert_eq!(world().error(source), ErrorKind::Argument, "{source}");
    }
    assert_eq!(world().error("'%d'.format([d.f])"), ErrorKind::Type);
    assert_eq!(world().error("'%d'.format([d.x])"), ErrorKind::Null);
    assert_eq!(world().error("'%s'.format([optional.none()])"), ErrorKind::Type);
}

#[test]
fn types_are_told_and_compared() {
    for source in [
        "type(d.n) == double",
        "type(d.l) == list && type(d.m) == map && type(d.x) == null_type",
        "type(1) != uint",
        "type(type(1)) == type",
        "type(timestamp(0)) == google.protobuf.Timestamp",
        "type(d.s) in [string, bytes]",
        "[1].map(string, string + 1) == [2]",
    ] {
        assert_eq!(world().value(source), "true", "{source}");
    }
}

#[test]
fn objects_are_written_and_cut() {
    for (source, json) in [
        ("json(d.m)", r#""{\"a\": 1, \"b\": [true], \"c\": null}""#),
        ("json([d.n, d.x])", "\"[12,null]\""),
        ("pick(d.m, 'c', 'a', 'z')", r#"{"a":1,"c":null}"#),
        ("omit(d.m, 'b')", r#"{"a":1,"c":null}"#),
        ("base64.encode(bytes(d.s))", "\"w5xuw68gY29kZQ==\""),
        ("string(base64.decode('w5xuw68gY29kZQ'))", "\"Ünï code\""),
        ("optional.ofNonZeroValue(d.e).hasValue()", "false"),
        ("optional.ofNonZeroValue(d.s).hasValue()", "true"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("base64.decode(d.s)"), ErrorKind::Conversion);
    assert_eq!(world().error("omit(d.x, 'a')"), ErrorKind::Null);
    assert_eq!(world().error("json(double('NaN'))"), ErrorKind::NotANumber);
}

#[test]
fn math_keeps_types() {
    for (source, json) in [
        ("math.greatest(d.l)", "3"),
        ("math.least(1, d.n, 2u)", "1"),
        ("math.greatest(5)", "5"),
        ("math.abs(-5)", "5"),
        ("math.sign(-2.5)", "-1"),
        ("math.ceil(d.f)", "2"),
        ("math.floor(-1.5)", "-2"),
        ("math.round(2.5)", "3"),
        ("math.round(-2.5)", "-3"),
        ("math.trunc(-1.5)", "-1"),
        ("math.sqrt(d.n * 12)", "12"),
        ("math.isNaN(double('NaN'))", "true"),
        ("math.isFinite(d.f / 0)", "false"),
        ("math.bitAnd(6, 3)", "2"),
        ("math.bitOr(6u, 3u)", "7"),
        ("math.bitXor(6, 3)", "5"),
        ("math.bitNot(1)", "-2"),
        ("math.bitShiftLeft(1, 3)", "8"),
        ("math.bitShiftRight(-1, 60)", "15"),
        ("math.bitShiftLeft(1, 64)", "0"),
    ] {
        assert_eq!(world().value(source), json, "{source}");
    }
    assert_eq!(world().error("math.abs(-9223372036854775807 - d.l.size() + 3)"), ErrorKind::Overflow);
    assert_eq!(world().error("math.bitShiftLeft(1, -int(d.n))"), ErrorKind::Argument);
    assert_eq!(world().error("math.greatest(d.l.filter(x, false))"), ErrorKind::Argument);
}

#[test]
fn every_function_has_signatures_and_a_name_of_its_own() {
    let names: Vec<&str> = super::functions().map(|function| function.name).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    assert!(super::functions().all(|function| !function.signatures.is_empty()));
    for name in names {
        let namespace = name.split_once('.').map(|(namespace, _)| namespace);
        assert!(namespace.is_none_or(super::is_namespace), "{name}");
    }
}
