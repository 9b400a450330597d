//! Forms in any pieces, and what is no form.

use bytes::Bytes;
use proptest::prelude::*;

use super::{FIELD_LIMIT, FIELDS_LIMIT, Fields, HEAD_LIMIT, Next, boundary};

/// What a form holds: its fields, the media type of its file, its content. Otherwise the status, and what is said of it.
type Read = Result<(Vec<(String, String)>, Option<String>, Vec<u8>), (u16, String)>;

/// Reads a form with the boundary `b` and the file `f`, given in pieces.
fn read(pieces: impl IntoIterator<Item = Bytes>) -> Read {
    let told =
        |failure: super::Failure| (failure.cause.status(), failure.detail.map_or(String::new(), |d| d.to_string()));
    let mut pieces = pieces.into_iter();
    let (mut fields, mut reading) = (Vec::new(), Fields::new("b", "f"));
    let media_type = loop {
        match reading.next().map_err(told)? {
            Next::Field(field) => fields.push((field.name, field.value)),
            Next::File(media_type) => break media_type.map(|text| text.to_str().expect("text").to_owned()),
            Next::More => reading.push(pieces.next().ok_or((400, "cut in the fields".to_owned()))?),
        }
    };
    let (mut file, mut content) = (reading.into_file(), Vec::new());
    loop {
        match file.next().map_err(told)? {
            Some(bytes) => content.extend_from_slice(&bytes),
            None => match pieces.next() {
                Some(piece) => file.push(piece),
                None if file.is_whole() => return Ok((fields, media_type, content)),
                None => return Err((400, "cut in the file".to_owned())),
            },
        }
    }
}

fn whole(form: &str) -> Read {
    read([Bytes::copy_from_slice(form.as_bytes())])
}

/// A part with a name, other lines of its head, and content.
fn part(name: &str, lines: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{lines}\r\n{content}\r\n")
}

fn said(form: &str) -> (u16, String) {
    whole(form).expect_err(form)
}

#[test]
fn fields_come_before_the_file() {
    let form = [part("a", "", "1"), part("b", "Content-Type: text/plain\r\n", ""), part("a", "", "\r\n--\r\n-b\r\n")];
    let form = form.concat() + &part("f", "content-type: image/png\r\n", "\r\r\n--\r\n--a") + "--b--\r\n";
    let (fields, media_type, content) = whole(&form).expect("a form");
    let expected = [("a", "1"), ("b", ""), ("a", "\r\n--\r\n-b\r\n")];
    assert!(fields.iter().map(|(name, value)| (&**name, &**value)).eq(expected));
    assert_eq!((media_type.as_deref(), &*content), (Some("image/png"), &b"\r\r\n--\r\n--a"[..]));
    let (_, media_type, content) = whole(&(part("f", "", "") + "--b--")).expect("an empty file");
    assert_eq!((media_type, content), (None, Vec::new()));
}

#[test]
fn names_are_read_as_browsers_and_tools_write_them() {
    for (disposition, name) in [
        ("form-data; name=\"a\"; filename=\"x;y=\\\"z\\\".png\"", "a"),
        ("Form-Data;filename=x; NAME=a", "a"),
        ("form-data; name=\"a\\\"b\"", "a\"b"),
        ("form-data; name=\"\u{fc}\"; filename*=UTF-8''x", "\u{fc}"),
        ("form-data; name=\"\";", ""),
    ] {
        assert_eq!(super::name(disposition).as_deref(), Some(name), "{disposition}");
    }
    for wrong in [
        "form-data",
        "form-data; filename=\"f\"",
        "attachment; name=\"f\"",
        "form-data; name=\"f\"; name=\"g\"",
        "form-data; name=\"f",
        "form-data; name=\"f\\",
        "form-data; name=\"f\"g",
        "form-data; name",
    ] {
        assert_eq!(super::name(wrong), None, "{wrong}");
    }
}

#[test]
fn what_is_no_form_is_refused() {
    let file = part("f", "", "x");
    for (form, words) in [
        ("x".to_owned(), "does not begin with its boundary"),
        (format!("\r\n{file}--b--"), "does not begin with its boundary"),
        ("--b--".to_owned(), "has no part `f`"),
        (part("a", "", "1") + "--b--", "has no part `f`"),
        ("--bc\r\n".to_owned(), "A boundary of the form is broken"),
        ("--b \r\n".to_owned(), "A boundary of the form is broken"),
        (file.clone() + "--bb--", "A boundary of the form is broken"),
        (file.clone() + "--b\r\n", "`f` of the form must be its last"),
        (file.clone() + &part("a", "", "1") + "--b--", "`f` of the form must be its last"),
        ("--b\r\n\r\nx\r\n--b--".to_owned(), "does not say its name"),
        ("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--".to_owned(), "does not say its name"),
        (part("f", "Content-Disposition: form-data; name=g\r\n", "x"), "does not say its name"),
        (part("f", "Content-Transfer-Encoding: base64\r\n", "x"), "has a transfer encoding"),
        (part("f", "a b: c\r\n", "x"), "is broken"),
        (part("f", "\0: c\r\n", "x"), "is broken"),
        (file.clone() + "--b--" + &"x".repeat(2000), "goes on behind its end"),
        (file[..file.len() - 2].to_owned(), "cut in the file"),
        (file.clone() + "--b", "cut in the file"),
        (file.clone() + "--b-", "cut in the file"),
        ("--b\r\nContent-Disposition".to_owned(), "cut in the fields"),
        (String::new(), "cut in the fields"),
    ] {
        let (status, detail) = said(&form);
        assert!(status == 400 && detail.contains(words), "{form:?}: {status} {detail}");
    }
}

#[test]
fn too_much_of_anything_is_refused() {
    let fields = |count| part("a", "", "1").repeat(count) + &part("f", "", "x") + "--b--";
    assert_eq!(whole(&fields(FIELD_LIMIT)).expect("a form").0.len(), FIELD_LIMIT);
    let lines = |count: usize| part("f", &"a: b\r\n".repeat(count), "x") + "--b--";
    assert!(whole(&lines(15)).is_ok());
    for (form, words) in [
        (fields(FIELD_LIMIT + 1), "more than 100 fields"),
        (lines(16), "head of a part of the form is too large"),
        (part("f", &format!("a: {}\r\n", "b".repeat(HEAD_LIMIT)), "x"), "head of a part of the form is too large"),
        (format!("--b\r\na: {}", "b".repeat(HEAD_LIMIT)), "head of a part of the form is too large"),
        (part("a", "", &"1".repeat(FIELDS_LIMIT)), "fields of the form are too large"),
    ] {
        let (status, detail) = said(&form);
        assert!(status == 413 && detail.contains(words), "{status} {detail}");
    }
}

#[test]
fn a_form_says_its_boundary() {
    fn of(media_type: &str) -> Result<Option<&str>, u16> {
        boundary(media_type).map_err(|failure| failure.cause.status())
    }
    assert_eq!(of("multipart/form-data; boundary=----WebKitFormBoundaryAb0"), Ok(Some("----WebKitFormBoundaryAb0")));
    assert_eq!(of("Multipart/Form-Data; charset=utf-8; Boundary=\"a'b\""), Ok(Some("a'b")));
    assert_eq!(of("multipart/mixed; boundary=b"), Ok(None));
    for wrong in ["", "; boundary=", "; boundary=a b", "; boundary=\u{e9}", "; boundary=a\u{7f}"] {
        assert_eq!(of(&format!("multipart/form-data{wrong}")), Err(400), "{wrong}");
    }
    assert_eq!(of(&format!("multipart/form-data; boundary={}", "b".repeat(71))), Err(400));
}

proptest! {
    #[test]
    fn a_form_in_any_pieces_is_the_same_form(
        value in "[\r\nb-]{0,20}", content in "[\r\nb-]{0,60}", cuts in prop::collection::vec(1..9_usize, 1..200),
    ) {
        prop_assume!(!value.contains("\r\n--b") && !content.contains("\r\n--b"));
        let form = Bytes::from(part("a", "", &value) + &part("f", "", &content) + "--b--\r\n");
        let mut rest = form;
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            pieces.push(rest.split_to((*cut).min(rest.len())));
        }
        let (fields, _, read) = read(pieces).expect("a form");
        prop_assert_eq!((&*fields[0].1, &*read), (&*value, content.as_bytes()));
    }

    #[test]
    fn no_bytes_make_reading_a_form_panic(pieces in prop::collection::vec("(\r\n|--b|--|f|\"|;|name=|Content-Disposition: form-data|\r\n\r\n|.){0,8}", 0..8)) {
        let _ = read(pieces.into_iter().map(Bytes::from));
    }
}
