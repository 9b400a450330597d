//! Text in a terminal of 100 columns: lines that wrap, and rows with columns.

/// Columns of the terminal.
pub(super) const WIDTH: usize = 100;
/// Lines that one value may take before it is cut.
const MOST_LINES: usize = 6;
/// The widest column of names.
const WIDEST_NAME: usize = 40;
/// What separates columns.
const GAP: usize = 2;

/// A row of the drawing of steps.
#[derive(Debug)]
pub(super) enum Row {
    /// When the steps below it start.
    Heading {
        /// Columns before it.
        indent: usize,
        /// What it says.
        text: String,
    },
    /// A step.
    Step(StepRow),
}

/// A step's row.
#[derive(Debug, Default)]
pub(super) struct StepRow {
    /// Columns before its name.
    pub(super) indent: usize,
    /// What the step is called.
    pub(super) name: String,
    /// `write` or `guard`; usually empty.
    pub(super) mark: String,
    /// Whom it asks, and within which time; `None` for a step that calls nobody itself.
    pub(super) call: Option<(String, String)>,
    /// What is said about it.
    pub(super) lines: Vec<String>,
}

/// Rows as lines, their columns aligned.
pub(super) fn rows(rows: &[Row]) -> String {
    let steps = || {
        rows.iter().filter_map(|row| match row {
            Row::Step(step) => Some(step),
            Row::Heading { .. } => None,
        })
    };
    let widest = |width: &dyn Fn(&StepRow) -> usize| steps().map(width).max().unwrap_or(0);
    let columns = Columns {
        name: widest(&|step| step.indent + columns_of(&step.name)).min(WIDEST_NAME) + GAP,
        mark: match widest(&|step| columns_of(&step.mark)) {
            0 => 0,
            width => width + GAP,
        },
        backend: widest(&|step| step.call.as_ref().map_or(0, |(backend, _)| columns_of(backend))) + GAP,
        time: widest(&|step| step.call.as_ref().map_or(0, |(_, time)| columns_of(time))) + GAP,
    };
    let mut out = String::new();
    for row in rows {
        match row {
            Row::Heading { indent, text } => {
                let lines = wrap(text, WIDTH - indent);
                lines.iter().for_each(|line| push_line(&mut out, *indent, line));
            }
            Row::Step(step) => step_lines(step, &columns, &mut out),
        }
    }
    out
}

/// Two columns: what is named, and what is said about it.
pub(super) fn pairs(indent: usize, pairs: &[(String, String)]) -> String {
    let widest = pairs.iter().map(|(name, _)| columns_of(name)).max().unwrap_or(0).min(WIDEST_NAME);
    let mut out = String::new();
    for (name, text) in pairs {
        let start = indent + widest + GAP;
        let lines = wrap(text, WIDTH - start);
        let mut lines = lines.iter();
        let first = lines.next().map_or("", String::as_str);
        if columns_of(name) > widest {
            push_line(&mut out, indent, name);
            push_line(&mut out, start, first);
        } else {
            push_line(&mut out, indent, &format!("{}{first}", padded(name, widest + GAP)));
        }
        lines.for_each(|line| push_line(&mut out, start, line));
    }
    out
}

/// Text in lines of at most `width` columns, the second and later ones a little further in; what
/// does not fit into six is cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut lines = vec![String::new()];
    for word in words(&text, width - GAP) {
        let indent = if lines.len() > 1 { GAP } else { 0 };
        let line = lines.last_mut().expect("there is always a line");
        if columns_of(line) + columns_of(word.trim_end()) + indent <= width {
            line.push_str(word);
            continue;
        }
        let rest = cut_to(word, width - GAP);
        if line.is_empty() {
            line.push_str(&rest);
        } else {
            lines.push(rest);
        }
    }
    let more = lines.len() > MOST_LINES;
    lines.truncate(MOST_LINES);
    if let (true, Some(last)) = (more, lines.last_mut()) {
        let short = cut_to(last.trim_end(), width.saturating_sub(2 * GAP));
        *last = format!("{} …", short.trim_end_matches('…').trim_end());
    }
    let hanging = |(index, line): (usize, String)| {
        let indent = if index > 0 { GAP } else { 0 };
        format!("{:indent$}{}", "", line.trim_end())
    };
    lines.into_iter().enumerate().map(hanging).collect()
}

struct Columns {
    name: usize,
    mark: usize,
    backend: usize,
    time: usize,
}

fn step_lines(step: &StepRow, columns: &Columns, out: &mut String) {
    let name = format!("{:indent$}{}", "", step.name, indent = step.indent);
    let mut head = padded(&name, columns.name);
    if columns_of(&head) > columns.name {
        push_line(out, 0, &name);
        head = " ".repeat(columns.name);
    }
    head.push_str(&padded(&step.mark, columns.mark));
    if let Some((backend, time)) = &step.call {
        head.push_str(&padded(backend, columns.backend));
        head.push_str(&padded(time, columns.time));
    }
    let start = columns_of(&head);
    let lines = step.lines.iter().flat_map(|line| wrap(line, WIDTH.saturating_sub(start).max(WIDTH / 4)));
    let mut any = false;
    for line in lines {
        match any {
            false => push_line(out, 0, &format!("{head}{line}")),
            true => push_line(out, start, &line),
        }
        any = true;
    }
    if !any {
        push_line(out, 0, &head);
    }
}

/// The pieces that lines are made of: they end at a space or before `&`, but neither between a name
/// and its value nor inside parentheses where the whole of that fits into a line.
fn words(text: &str, width: usize) -> Vec<&str> {
    let is_tight = |piece: &str| {
        let open = piece.matches('(').count() > piece.matches(')').count();
        open || piece.ends_with(": ")
    };
    let mut words: Vec<(usize, usize)> = Vec::new();
    for (start, end) in pieces(text) {
        match words.last_mut() {
            Some((first, last)) if is_tight(&text[*first..*last]) && columns_of(&text[*first..end]) <= width => {
                *last = end;
            }
            _ => words.push((start, end)),
        }
    }
    words.into_iter().map(|(start, end)| &text[start..end]).collect()
}

/// Where a line may end at all: after a space, or before the `&` of a query.
fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let end = match c {
            ' ' => at + 1,
            '&' if !text[at..].starts_with("&&") && !text[..at].ends_with('&') => at,
            _ => continue,
        };
        if end > start {
            pieces.push((start, end));
            start = end;
        }
    }
    pieces.push((start, text.len()));
    pieces
}

/// The beginning of a text, up to a width.
pub(super) fn cut_to(text: &str, width: usize) -> String {
    if columns_of(text.trim_end()) <= width {
        return text.to_owned();
    }
    let begin: String = text.chars().take(width.saturating_sub(1)).collect();
    begin + "…"
}

fn push_line(out: &mut String, indent: usize, line: &str) {
    let line = format!("{:indent$}{line}", "");
    out.push_str(line.trim_end());
    out.push('\n');
}

/// Text with spaces after it up to a width.
pub(super) fn padded(text: &str, width: usize) -> String {
    let more = width.saturating_sub(columns_of(text));
    format!("{text}{:more$}", "")
}

fn columns_of(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::{pairs, wrap};

    #[test]
    fn lines_end_between_values() {
        let text = "POST /x with body {first: args.first, second: default(args.body.address, customer.address)}";
        assert_eq!(
            wrap(text, 50),
            ["POST /x with body {first: args.first,", "  second: default(args.body.address,", "  customer.address)}"]
        );
        assert_eq!(wrap("/a?first={a}&second={b} && c", 14), ["/a?first={a}", "  &second={b}", "  && c"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = "word ".repeat(60);
        let lines = wrap(&long, 20);
        assert_eq!(lines.len(), 6);
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        assert!(lines[5].ends_with(" …"), "{lines:?}");
        assert_eq!(wrap(&"x".repeat(40), 10), [format!("{}…", "x".repeat(7))]);
        assert_eq!(pairs(2, &[("a".into(), "b".into()), ("long".into(), "c".into())]), "  a     b\n  long  c\n");
    }
}
