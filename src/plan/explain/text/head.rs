//! The head of the text: what it is for, what clients send, how the answer looks.

use super::super::model::{Answer, Argument, Field, FieldRuns, Head, Pair, Proxy, Subject};
use super::layout::{WIDTH, padded, pairs, wrap};
use super::{INDENT, duration_text, section as titled, steps};

/// Name, summary, sentences and arguments.
pub(super) fn section(head: &Head) -> String {
    let mut name = head.name.clone();
    let mut lines: Vec<String> = head.summary.iter().chain(&head.about).cloned().collect();
    match &head.subject {
        Subject::Endpoint(answer) => lines.extend(answered(answer)),
        Subject::Proxy(proxy) => {
            let backend = &proxy.backend;
            lines.push(format!("Passes the request through to {backend}, and the answer back, as they come."));
            lines.push(format!("The answer must begin within {}.", duration_text(proxy.within)));
            if proxy.is_cached {
                lines.push("Replies are kept, and serve again, as their header fields say (RFC 9111).".to_owned());
            }
        }
        Subject::Document(within) => lines.push(format!("The whole answer is due within {}.", duration_text(*within))),
        Subject::Field(field) => {
            name.extend(field.ty.iter().flat_map(|ty| [": ", ty]));
            lines.extend(runs(field));
        }
    }
    if !head.failures.is_empty() {
        let statuses = head.failures.iter().map(|(of, status)| format!("{of} with {status}"));
        lines.push(format!("Answers failures: {}.", statuses.collect::<Vec<_>>().join(", ")));
    }
    let indented = lines.iter().flat_map(|line| wrap(line, WIDTH - INDENT)).map(|line| format!("  {line}\n"));
    let title = if matches!(head.subject, Subject::Document(_)) { "Variables" } else { "Arguments" };
    format!("{name}\n{}", indented.collect::<String>()) + &titled(title, &arguments(&head.arguments))
}

/// How a request is passed through.
pub(super) fn proxy(proxy: &Proxy) -> String {
    let path = proxy.path.clone().unwrap_or_else(|| "the same path".to_owned());
    let mut asked = vec![("path".to_owned(), path), ("query".to_owned(), "as it came".to_owned())];
    asked.extend(proxy.headers.iter().map(|header| match header {
        Pair::Set(name, value) => ("header set".to_owned(), format!("{name}: {value}")),
        Pair::Removed(name) => ("header removed".to_owned(), name.clone()),
        Pair::Map(map) => ("headers set".to_owned(), format!("{{{map}}}")),
    }));
    asked.extend(proxy.choice.iter().map(|choice| ("variant".to_owned(), steps::choice(choice))));
    pairs(INDENT, &asked)
}

fn answered(answer: &Answer) -> Vec<String> {
    let media = match answer.media_type.as_deref() {
        None => " without a body,".to_owned(),
        Some("application/json") => String::new(),
        Some(other) => format!(" as {other}"),
    };
    let mut lines = vec![format!("Answers {}{media} within {}.", answer.status, duration_text(answer.within))];
    lines.extend(answer.headers.iter().map(|header| match header {
        Pair::Set(name, value) => format!("Sets {name}: {value}"),
        Pair::Removed(name) => format!("Sets no {name}"),
        Pair::Map(map) => format!("Sets {{{map}}}"),
    }));
    lines.extend(answer.cookies.iter().map(|(name, value)| format!("Sets the cookie {name}: {value}")));
    lines
}

fn runs(field: &Field) -> Vec<String> {
    let runs = match field.runs {
        FieldRuns::InMutation => {
            "Runs where a mutation asks for it; mutations of one request run one after another.".to_owned()
        }
        FieldRuns::InQuery => "Runs where a query asks for it.".to_owned(),
        FieldRuns::Computed => "Computed where a query asks for it.".to_owned(),
        FieldRuns::ForAllParents => "Runs once for all parents in an answer, wherever a query asks for it.".to_owned(),
        FieldRuns::ForEachParent { parallel, max } => {
            format!("Runs for each parent in an answer: at most {max}, {parallel} at a time.")
        }
    };
    let within = field.within.map(|within| format!("The whole answer is due within {}.", duration_text(within)));
    [Some(runs), within].into_iter().flatten().collect()
}

/// Arguments as name, type, and what is said about them.
fn arguments(args: &[Argument]) -> String {
    let widest = args.iter().map(|arg| arg.ty.chars().count()).max().unwrap_or(0) + 2;
    let line = |arg: &Argument| {
        let mut parts: Vec<String> = Some(arg.from.clone()).filter(|from| !from.is_empty()).into_iter().collect();
        parts.extend(arg.rules.iter().cloned());
        parts.extend(arg.default.as_ref().map(|default| format!("{default} if not given")));
        parts.extend(arg.required.then(|| "required".to_owned()));
        (arg.name.clone(), padded(&arg.ty, widest) + &parts.join(", "))
    };
    pairs(INDENT, &args.iter().map(line).collect::<Vec<_>>())
}
