//! Path templates of `google.api.http`. Source: google/api/http.proto, "Path template syntax".

/// A template such as `/v1/{name=shelves/*/books/*}:publish`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) segments: Vec<Segment>,
    /// What stands behind the colon.
    pub(super) verb: Option<String>,
}

/// One piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    /// `*`: any one segment.
    Any,
    /// `**`: any number of segments.
    Rest,
    /// `{path=segments}`: a field, dot by dot, and what it holds; without `=`, one segment.
    Variable(Vec<String>, Vec<Segment>),
}

/// Reads a template; `None` when it is none.
pub(super) fn read(text: &str) -> Option<Template> {
    let text = text.strip_prefix('/')?;
    // A colon is a verb's only behind the last segment.
    let last = text.rfind(['/', '}']).map_or(0, |at| at + 1);
    let (path, verb) = match text[last..].find(':') {
        Some(at) => (&text[..last + at], Some(text[last + at + 1..].to_owned())),
        None => (text, None),
    };
    let verb_is_whole = verb.as_ref().is_none_or(|verb| !verb.is_empty());
    let segments = if path.is_empty() { Vec::new() } else { segments(path)? };
    verb_is_whole.then_some(Template { segments, verb })
}

fn segments(text: &str) -> Option<Vec<Segment>> {
    let (mut found, mut rest) = (Vec::new(), text);
    loop {
        let (segment, behind) = match rest.strip_prefix('{') {
            Some(inside) => {
                let (inside, behind) = inside.split_once('}')?;
                (variable(inside)?, behind)
            }
            None => {
                let (text, behind) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (plain(text)?, behind)
            }
        };
        found.push(segment);
        if behind.is_empty() {
            return Some(found);
        }
        rest = behind.strip_prefix('/')?;
    }
}

fn variable(text: &str) -> Option<Segment> {
    let (path, inside) = text.split_once('=').unwrap_or((text, "*"));
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    let inside: Option<Vec<Segment>> = inside.split('/').map(plain).collect();
    let is_path = path.iter().all(|name| !name.is_empty());
    inside.filter(|_| is_path).map(|inside| Segment::Variable(path, inside))
}

fn plain(text: &str) -> Option<Segment> {
    match text {
        "*" => Some(Segment::Any),
        "**" => Some(Segment::Rest),
        "" => None,
        text if text.contains(['{', '}', '*', '=']) => None,
        text => Some(Segment::Literal(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Segment, Template, read};

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.to_owned())
    }

    fn variable(path: &[&str], inside: Vec<Segment>) -> Segment {
        Segment::Variable(path.iter().map(|name| (*name).to_owned()).collect(), inside)
    }

    #[test]
    fn templates_are_read_with_variables_and_verbs() {
        let template = |segments, verb: Option<&str>| Some(Template { segments, verb: verb.map(str::to_owned) });
        let name = variable(&["book", "name"], vec![literal("shelves"), Segment::Any, Segment::Rest]);
        assert_eq!(read("/v1/{book.name=shelves/*/**}:open"), template(vec![literal("v1"), name], Some("open")));
        assert_eq!(read("/v1/{id}"), template(vec![literal("v1"), variable(&["id"], vec![Segment::Any])], None));
        assert_eq!(read("/v1:all"), template(vec![literal("v1")], Some("all")));
        assert_eq!(read("/*/**"), template(vec![Segment::Any, Segment::Rest], None));
        assert_eq!(read("/"), template(Vec::new(), None));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for wrong in ["", "v1", "/v1/", "/v1//a", "/{id", "/{a=b=c}", "/{}", "/a{b}", "/v1:", "/{a.}", "/{a={b}}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
