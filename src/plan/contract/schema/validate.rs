//! Whether a value is what a schema allows: every violation with the JSON pointer of its place.
//! Source: JSON Schema validation 2020-12.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use super::canonical::{canonical, is_multiple};
use super::{Kinds, Rules, SchemaId, Schemas};
use crate::base::diagnostic::did_you_mean;
use crate::base::path::MISTAKE_LIMIT;
use crate::base::value::{Value, ValueKind};

/// Schemas that are tried for one value. Alternatives inside alternatives could be tried without end.
const STEP_LIMIT: usize = 1_000_000;
/// Schemas inside one another.
const DEPTH_LIMIT: usize = 400;

/// Something that a schema does not allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value: a JSON pointer (RFC 6901); empty for the whole.
    pub pointer: String,
    /// What is wrong, as the end of a sentence that begins with the place: "must be integer".
    pub reason: String,
    /// What was probably meant; often empty.
    pub hint: String,
    /// Whether another form altogether was meant: the value is of another kind, or not the one value of
    /// `const`.
    pub is_other_form: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(f, "the value {}", self.reason)?,
            pointer => write!(f, "`{pointer}` {}", self.reason)?,
        }
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// What of a value a schema does not allow, at most [`MISTAKE_LIMIT`]; empty when it is valid.
pub fn validate(schemas: &Schemas, id: SchemaId, value: &Value<'_>) -> Vec<Violation> {
    Validation::of(schemas, id, value)
}

/// One value while it is judged.
pub(super) struct Validation<'s> {
    schemas: &'s Schemas,
    /// Schemas that may still be tried.
    steps: &'s Cell<usize>,
    pointer: String,
    depth: usize,
    violations: Vec<Violation>,
}

impl<'s> Validation<'s> {
    /// The violations of a value.
    pub(super) fn of(schemas: &'s Schemas, id: SchemaId, value: &Value<'_>) -> Vec<Violation> {
        let steps = Cell::new(STEP_LIMIT);
        let mut whole = Validation { schemas, steps: &steps, pointer: String::new(), depth: 0, violations: Vec::new() };
        whole.schema(id, value);
        if steps.get() == 0 {
            let reason = "takes too long to be checked".to_owned();
            return vec![Violation { reason, ..Violation::default() }];
        }
        whole.violations
    }

    fn schema(&mut self, id: SchemaId, value: &Value<'_>) {
        if self.steps.get() == 0 || self.depth > DEPTH_LIMIT || self.violations.len() >= MISTAKE_LIMIT {
            return;
        }
        self.steps.set(self.steps.get() - 1);
        let rules = self.schemas.rules(id);
        if rules.never {
            return self.wrong("is not allowed");
        }
        self.depth += 1;
        if self.kind(rules, value) {
            self.listed(rules, value);
            match kind_of(value) {
                Kinds::INTEGER | Kinds::NUMBER => self.number(rules, value),
                Kinds::STRING => self.text(rules, value),
                Kinds::ARRAY => self.array(rules, value),
                Kinds::OBJECT => self.object(rules, value),
                _ => {}
            }
        }
        self.combined(rules, value);
        self.depth -= 1;
    }

    /// Whether the value is of a kind that is allowed; what else is said of another kind is no use.
    fn kind(&mut self, rules: &Rules, value: &Value<'_>) -> bool {
        let Some(kinds) = rules.kinds else { return true };
        let fits = kinds.allows(kind_of(value));
        if !fits {
            self.wrong(format!("must be {}, not {}", kinds.words(), noun(value)));
            self.mark_other_form();
        }
        fits
    }

    fn listed(&mut self, rules: &Rules, value: &Value<'_>) {
        let Some(values) = &rules.values else { return };
        let found = canonical(value);
        if values.iter().any(|allowed| allowed.canonical == found) {
            return;
        }
        let shown: Vec<&str> = values.iter().map(|allowed| allowed.shown.as_str()).collect();
        let hint = match value.as_text() {
            Some(text) if shown.len() > 1 => did_you_mean(text, shown.iter().map(|shown| shown.trim_matches('"'))),
            _ => String::new(),
        };
        match &shown[..] {
            [only] => {
                self.wrong(format!("must be {only}"));
                self.mark_other_form();
            }
            shown if hint.starts_with("did") => {
                self.wrong_with(format!("must be one of {}", shown.join(", ")), hint);
            }
            shown => self.wrong(format!("must be one of {}", shown.join(", "))),
        }
    }

    fn number(&mut self, rules: &Rules, value: &Value<'_>) {
        let number = value.number().map_or(f64::NAN, crate::base::value::Number::to_double);
        let bounds = [
            (rules.minimum, "must be at least", number < rules.minimum.unwrap_or(number)),
            (rules.maximum, "must be at most", number > rules.maximum.unwrap_or(number)),
            (
                rules.exclusive_minimum,
                "must be more than",
                rules.exclusive_minimum.is_some_and(|bound| number <= bound),
            ),
            (
                rules.exclusive_maximum,
                "must be less than",
                rules.exclusive_maximum.is_some_and(|bound| number >= bound),
            ),
        ];
        for (bound, words, broken) in bounds {
            if let (Some(bound), true) = (bound, broken) {
                self.wrong(format!("{words} {bound}"));
            }
        }
        if let Some(of) = &rules.multiple_of
            && !is_multiple(&digits(value), of)
        {
            self.wrong(format!("must be a multiple of {of}"));
        }
    }

    fn text(&mut self, rules: &Rules, value: &Value<'_>) {
        let text = value.as_text().unwrap_or_default();
        if rules.min_length.is_some() || rules.max_length.is_some() {
            let length = text.chars().count() as u64;
            self.size(length, (rules.min_length, rules.max_length), "character");
        }
        if let Some(pattern) = &rules.pattern
            && !pattern.is_in(text)
        {
            self.wrong(format!("must match `{}`", pattern.as_str()));
        }
    }

    fn array(&mut self, rules: &Rules, value: &Value<'_>) {
        let length = value.size().unwrap_or(0) as u64;
        self.size(length, (rules.min_items, rules.max_items), "item");
        if let Some(items) = rules.items {
            for (index, item) in value.elements().into_iter().flatten().enumerate() {
                self.within(&index.to_string(), items, &item);
            }
        }
        if rules.unique_items {
            let mut seen = HashSet::new();
            let again = value.elements().into_iter().flatten().position(|item| !seen.insert(canonical(&item)));
            if let Some(index) = again {
                self.wrong(format!("must not hold a value twice, and item {index} is there already"));
            }
        }
    }

    fn object(&mut self, rules: &Rules, value: &Value<'_>) {
        let length = value.size().unwrap_or(0) as u64;
        self.size(length, (rules.min_properties, rules.max_properties), "member");
        // What only replies hold need not be sent (OpenAPI, "Schema Object", `readOnly`).
        let is_sent = |name: &&String| !rules.properties.iter().any(|known| known.read_only && known.name == **name);
        for name in rules.required.iter().filter(is_sent).filter(|name| value.member(name).is_none()) {
            let pointer = self.pointer.len();
            self.enter(name);
            self.wrong("is required and missing");
            self.pointer.truncate(pointer);
        }
        if rules.properties.is_empty() && rules.others.is_none() {
            return;
        }
        for (key, member) in value.entries().into_iter().flatten() {
            let name = key.as_text().unwrap_or_default();
            match (rules.properties.iter().find(|property| property.name == name), rules.others) {
                (Some(property), _) => self.within(name, property.schema, &member),
                (None, Some(others)) if self.schemas.rules(others).never => self.unknown(name, rules),
                (None, Some(others)) => self.within(name, others, &member),
                (None, None) => {}
            }
        }
    }

    fn unknown(&mut self, name: &str, rules: &Rules) {
        let pointer = self.pointer.len();
        self.enter(name);
        let hint = did_you_mean(name, rules.properties.iter().map(|property| property.name.as_str()));
        self.wrong_with(format!("is no member of {}", rules.name), hint);
        self.pointer.truncate(pointer);
    }

    fn combined(&mut self, rules: &Rules, value: &Value<'_>) {
        for id in rules.reference.iter().chain(&rules.all_of) {
            self.schema(*id, value);
        }
        if !rules.any_of.is_empty() {
            let tried: Vec<Vec<Violation>> = rules.any_of.iter().map(|id| self.tried(*id, value)).collect();
            if tried.iter().all(|violations| !violations.is_empty()) {
                self.none_of(tried);
            }
        }
        if !rules.one_of.is_empty() {
            let tried: Vec<Vec<Violation>> = rules.one_of.iter().map(|id| self.tried(*id, value)).collect();
            match tried.iter().filter(|violations| violations.is_empty()).count() {
                0 => self.none_of(tried),
                1 => {}
                several => self.wrong(format!("must be one of several forms, and is {several} of them")),
            }
        }
        if let Some(not) = rules.not
            && self.tried(not, value).is_empty()
        {
            self.wrong("is of a form that is not allowed");
        }
    }

    /// The violations of one alternative, for itself.
    fn tried(&self, id: SchemaId, value: &Value<'_>) -> Vec<Violation> {
        let mut one = Validation {
            schemas: self.schemas,
            steps: self.steps,
            pointer: self.pointer.clone(),
            depth: self.depth,
            violations: Vec::new(),
        };
        one.schema(id, value);
        one.violations
    }

    /// No alternative fits: what the nearest lacks is said, which is the one that was meant, else the one that
    /// failed deepest.
    fn none_of(&mut self, tried: Vec<Vec<Violation>>) {
        // Who sends something else than null did not mean null.
        let means_null = |violations: &Vec<Violation>| {
            violations.iter().all(|violation| violation.reason.starts_with("must be null,"))
        };
        let here = self.pointer.matches('/').count();
        let mut tried: Vec<Vec<Violation>> = tried.into_iter().filter(|violations| !means_null(violations)).collect();
        if let [only] = &mut tried[..] {
            let room = MISTAKE_LIMIT.saturating_sub(self.violations.len());
            return self.violations.extend(std::mem::take(only).into_iter().take(room));
        }
        let depth = |violations: &Vec<Violation>| {
            let here = |violation: &&Violation| violation.pointer.matches('/').count() <= here + 1;
            let is_meant = !violations.iter().filter(here).any(|violation| violation.is_other_form);
            let deepest = violations.iter().map(|violation| violation.pointer.matches('/').count()).max();
            (is_meant, deepest, usize::MAX - violations.len())
        };
        let nearest = tried.into_iter().max_by_key(depth).unwrap_or_default();
        if nearest.iter().all(|violation| violation.pointer.matches('/').count() <= here) {
            return self.wrong("is of none of the forms that are allowed");
        }
        let room = MISTAKE_LIMIT.saturating_sub(self.violations.len());
        self.violations.extend(nearest.into_iter().take(room));
    }

    fn size(&mut self, length: u64, (least, most): (Option<u64>, Option<u64>), of: &str) {
        let plural = |count: u64| if count == 1 { format!("{count} {of}") } else { format!("{count} {of}s") };
        if let Some(least) = least.filter(|least| length < *least) {
            self.wrong(format!("must have at least {}", plural(least)));
        }
        if let Some(most) = most.filter(|most| length > *most) {
            self.wrong(format!("must have at most {}", plural(most)));
        }
    }

    fn within(&mut self, step: &str, id: SchemaId, value: &Value<'_>) {
        let pointer = self.pointer.len();
        self.enter(step);
        self.schema(id, value);
        self.pointer.truncate(pointer);
    }

    fn enter(&mut self, step: &str) {
        self.pointer.push('/');
        self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    }

    /// Says of the violation just found that another form was meant.
    fn mark_other_form(&mut self) {
        if let Some(last) = self.violations.last_mut() {
            last.is_other_form = true;
        }
    }

    fn wrong(&mut self, reason: impl Into<String>) {
        self.wrong_with(reason, String::new());
    }

    fn wrong_with(&mut self, reason: impl Into<String>, hint: String) {
        if self.violations.len() < MISTAKE_LIMIT {
            let (pointer, reason) = (self.pointer.clone(), reason.into());
            self.violations.push(Violation { pointer, reason, hint, is_other_form: false });
        }
    }
}

/// The kind of a value; none for what JSON does not have.
pub(super) fn kind_of(value: &Value<'_>) -> Kinds {
    match value.kind() {
        ValueKind::Null => Kinds::NULL,
        ValueKind::Bool => Kinds::BOOLEAN,
        ValueKind::Int | ValueKind::Uint => Kinds::INTEGER,
        ValueKind::Double | ValueKind::Number => match value.number() {
            // 1.0 is an integer (JSON Schema validation, section 6.1.1).
            Some(number) if number.to_double().fract() == 0.0 => Kinds::INTEGER,
            _ => Kinds::NUMBER,
        },
        ValueKind::Text | ValueKind::Bytes | ValueKind::Timestamp | ValueKind::Duration => Kinds::STRING,
        ValueKind::List => Kinds::ARRAY,
        ValueKind::Map => Kinds::OBJECT,
        ValueKind::Optional | ValueKind::Type => Kinds::NONE,
    }
}

/// A number as JSON writes it.
fn digits(value: &Value<'_>) -> String {
    match value {
        Value::View(view) => view.raw().to_owned(),
        other => other.number().map_or_else(String::new, |number| match number.to_int() {
            Some(whole) => whole.to_string(),
            None => number.to_double().to_string(),
        }),
    }
}

fn noun(value: &Value<'_>) -> &'static str {
    match kind_of(value) {
        Kinds::NULL => "null",
        Kinds::BOOLEAN => "a boolean",
        Kinds::INTEGER | Kinds::NUMBER => "this number",
        Kinds::STRING => "text",
        Kinds::ARRAY => "a list",
        Kinds::OBJECT => "an object",
        _ => "this",
    }
}
