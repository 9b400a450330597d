//! From text to the tree, over the events of the YAML parser.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use crate::base::diagnostic::{Diagnostic, Place};
use crate::base::id::FileId;
use crate::spec::model::Located;
use crate::spec::name::KeyPath;

use super::core_schema::literal;
use super::hint::{Mistake, cut_by_comment};
use super::lines::Lines;
use super::origin::Origin;
use super::surrogate::Rewritten;
use super::{Kind, Literal, Node, Scalar};

/// How deeply a file may nest.
const DEPTH_LIMIT: usize = 64;

/// The tree of a file, `None` if it is empty or broken, and what is wrong with it.
pub fn parse(file: FileId, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let mut parsed = Rewritten::none(text);
    loop {
        let mut builder = Builder::new(file, text, &parsed);
        // Broken means that a diagnostic was collected: there is nothing to add.
        let root = builder.document().unwrap_or(None);
        let Some(again) = builder.escape.and_then(|at| parsed.again(text, at)) else {
            return (root, builder.diagnostics);
        };
        parsed = again;
    }
}

/// The file cannot be read further; the diagnostic is collected.
struct Broken;

struct Builder<'a> {
    file: FileId,
    /// The file as it is written: bytes of diagnostics and places are its bytes.
    text: &'a str,
    /// The text that is parsed.
    parsed: &'a Rewritten,
    lines: Lines<'a>,
    parser: Parser<'a, StrInput<'a>>,
    path: KeyPath,
    /// Where the brackets that are open begin.
    open: Vec<usize>,
    /// The byte of the parsed text at which an escape was no character.
    escape: Option<usize>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(file: FileId, text: &'a str, parsed: &'a Rewritten) -> Self {
        Self {
            file,
            text,
            parsed,
            lines: Lines::new(&parsed.text),
            parser: Parser::new_from_str(&parsed.text),
            path: KeyPath::default(),
            open: Vec::new(),
            escape: None,
            diagnostics: Vec::new(),
        }
    }

    /// The only document of the file.
    fn document(&mut self) -> Result<Option<Node>, Broken> {
        let mut root = None;
        let mut documents = 0;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let place = self.place(span);
                        return Err(self.refuse(
                            "yaml-documents",
                            place,
                            "a file holds one document",
                            "write the second document in a file of its own",
                        ));
                    }
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                _ => {}
            }
        }
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Broken> {
        let place = self.place(span);
        if depth > DEPTH_LIMIT {
            return Err(self.refuse_depth(place));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(&place, anchor, tag);
                Ok(self.scalar(text, style, place))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_properties(&place, anchor, tag);
                self.bracketed(&place, |builder, place| builder.sequence(place, depth))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_properties(&place, anchor, tag);
                self.bracketed(&place, |builder, place| builder.mapping(place, depth))
            }
            Event::Alias(_) => {
                let help = "write the value out, or make it a part and use it by name; quote text that begins with `*`";
                self.report("yaml-alias", place.clone(), "aliases are not part of this language", help);
                Ok(Node { kind: Kind::Scalar(Scalar::at(Literal::Null, place.clone())), place })
            }
            _ => {
                let message = "a value is expected here";
                Err(self.refuse("yaml-syntax", place, message, ""))
            }
        }
    }

    /// Reads a list or mapping; where it has a bracket, that is open meanwhile.
    fn bracketed<R>(&mut self, start: &Place, read: impl FnOnce(&mut Self, &Place) -> R) -> R {
        let has_bracket = self.text[start.bytes.start..].starts_with(['{', '[']);
        if has_bracket {
            self.open.push(start.bytes.start);
        }
        let whole = read(self, start);
        if has_bracket {
            self.open.pop();
        }
        whole
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, mut place: Place) -> Node {
        if text.is_empty() && style == ScalarStyle::Plain {
            place.bytes.end = place.bytes.start;
        }
        let source = self.text.get(place.bytes.clone()).unwrap_or("");
        let origin = Origin::of(&text, source, style, place.bytes.start);
        let value = match style {
            ScalarStyle::Plain => literal(&text),
            _ => Literal::Text(text.into_owned()),
        };
        if style == ScalarStyle::Plain
            && let Some((message, help)) = cut_by_comment(source, &self.text[place.bytes.end..])
        {
            self.report("yaml-quotes", place.clone(), message, help);
        }
        Node { kind: Kind::Scalar(Scalar { value, place: place.clone(), origin }), place }
    }

    fn sequence(&mut self, start: &Place, depth: usize) -> Result<Node, Broken> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                let last = items.last().map(|node| node.place.bytes.end);
                return Ok(Node { place: self.whole(start, span, last), kind: Kind::Sequence(items) });
            }
            let mark = self.path.enter_item(items.len());
            items.push(self.node(event, span, depth + 1)?);
            self.path.leave(mark);
        }
    }

    fn mapping(&mut self, start: &Place, depth: usize) -> Result<Node, Broken> {
        let mut pairs: Vec<(Located<String>, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                let last = pairs.last().map(|(key, node)| node.place.bytes.end.max(key.place.bytes.end));
                let pairs = self.without_duplicates(pairs);
                return Ok(Node { place: self.whole(start, span, last), kind: Kind::Mapping(pairs) });
            }
            let key = self.key(event, span, depth)?;
            let mark = self.path.enter(&key.value);
            let (event, span) = self.next()?;
            let mut node = self.node(event, span, depth + 1)?;
            self.path.leave(mark);
            if node.place.bytes.is_empty() {
                node.place = key.place.clone();
                if let Kind::Scalar(scalar) = &mut node.kind {
                    scalar.place = key.place.clone();
                }
            }
            pairs.push((key, node));
        }
    }

    /// A key: a scalar whose text, as written, is its name.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Located<String>, Broken> {
        if let Event::Scalar(text, style, anchor, tag) = event {
            let place = self.place(span);
            self.refuse_properties(&place, anchor, tag);
            if text.is_empty() && style == ScalarStyle::Plain {
                self.report("yaml-key", place.clone(), "a key is missing before `:`", "");
            }
            return Ok(Located { value: text.into_owned(), place });
        }
        let place = self.node(event, span, depth + 1)?.place;
        Err(self.refuse("yaml-key", place, "a key must be text", "put it in quotes"))
    }

    /// The pairs with the first of each key; says where a key is written twice.
    fn without_duplicates(&mut self, mut pairs: Vec<(Located<String>, Node)>) -> Vec<(Located<String>, Node)> {
        let again = later_of_equal_keys(&pairs);
        for (later, first) in &again {
            let (later, first) = (&pairs[*later].0, &pairs[*first].0);
            let message = format!("`{}` is written twice", later.value);
            self.diagnostics.push(
                Diagnostic::error("duplicate-key", later.place.clone(), self.path.as_str(), message)
                    .help("leave one of them out")
                    .related(first.place.clone(), "first written here"),
            );
        }
        leave_out(&mut pairs, &again);
        pairs
    }

    fn refuse_properties(&mut self, place: &Place, anchor: usize, tag: Option<Cow<'a, Tag>>) {
        if anchor > 0 {
            let help = "leave it out; what is used twice can be a part; quote text that begins with `&`";
            self.report("yaml-alias", place.clone(), "anchors are not part of this language", help);
        }
        if let Some(tag) = tag {
            let message = format!("the tag `{tag}` is not part of this language");
            self.report("yaml-tag", place.clone(), message, "leave it out; quote text that begins with `!`");
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Broken> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let at = self.lines.byte(error.marker());
                if error.info().contains("Unicode") {
                    self.escape = Some(at);
                }
                let at = self.parsed.origin(at);
                if error.info().contains("recursion limit") {
                    let place = Place { file: self.file, bytes: at..at };
                    return Err(self.refuse_depth(place));
                }
                let open = self.open.last().copied();
                let hint = Mistake { text: self.text, at, complaint: error.info(), open }.hint();
                let place = Place { file: self.file, bytes: hint.bytes };
                Err(self.refuse("yaml-syntax", place, hint.message, hint.help))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn place(&mut self, span: Span) -> Place {
        let start = self.lines.byte(&span.start);
        let end = self.lines.byte(&span.end).max(start);
        let (start, end) = (self.parsed.origin(start), self.parsed.origin(end));
        Place { file: self.file, bytes: start..end }
    }

    /// The place of a list or mapping: to its bracket, or in block style to its last entry.
    fn whole(&mut self, start: &Place, end: Span, last: Option<usize>) -> Place {
        let closed = self.place(end).bytes;
        let end = match last {
            _ if !closed.is_empty() => closed.end,
            Some(last) => last,
            None => start.bytes.end,
        };
        Place { file: start.file, bytes: start.bytes.start..end.max(start.bytes.start) }
    }

    fn refuse_depth(&mut self, place: Place) -> Broken {
        self.refuse("yaml-depth", place, format!("nested deeper than {DEPTH_LIMIT}"), "")
    }

    fn report(&mut self, code: &'static str, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, place, self.path.as_str(), message).help(help));
    }

    fn refuse(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Broken {
        self.report(code, place, message, help);
        Broken
    }
}

/// The positions of keys that stand there already, in order, each with the position of the first.
pub(in crate::spec) fn later_of_equal_keys(pairs: &[(Located<String>, Node)]) -> Vec<(usize, usize)> {
    let key = |at: usize| pairs[at].0.value.as_str();
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by_key(|&at| key(at));
    let groups = order.chunk_by(|one, other| key(*one) == key(*other));
    let mut again: Vec<_> = groups.flat_map(|group| group[1..].iter().map(|&later| (later, group[0]))).collect();
    again.sort_unstable();
    again
}

/// Takes the later of equal keys out, as [`later_of_equal_keys`] gives them.
pub(in crate::spec) fn leave_out(pairs: &mut Vec<(Located<String>, Node)>, again: &[(usize, usize)]) {
    let mut later = again.iter().map(|(later, _)| *later).peekable();
    let mut at = 0;
    pairs.retain(|_| {
        at += 1;
        later.next_if_eq(&(at - 1)).is_none()
    });
}
