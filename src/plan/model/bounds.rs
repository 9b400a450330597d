//! What the text of an argument must be like beyond its type: `enum`, `min`, `max`, `pattern`.

use std::borrow::Cow;

use crate::base::value::{JsonWriter, Sink, Value, key_text};
use crate::expr::Pattern;
use crate::plan::schema::coerce::{Input, InvalidInput, coerce};
use crate::plan::schema::{Schema, TypeRef};

/// The bounds of one argument. The same hold for what requests give and for defaults.
#[derive(Debug, Default)]
pub struct Bounds {
    /// The texts that are allowed; empty allows all.
    pub allowed: Box<[Box<str>]>,
    /// Whether `min` and `max` bound a number; else they bound a length in characters.
    pub counts: bool,
    /// The least number or length.
    pub min: Option<f64>,
    /// The greatest number or length.
    pub max: Option<f64>,
    /// What the text must match from beginning to end, as it was written and compiled.
    pub pattern: Option<(Box<str>, Pattern)>,
}

impl Bounds {
    /// Whether nothing breaks them.
    pub fn allow_all(&self) -> bool {
        self.allowed.is_empty() && self.min.is_none() && self.max.is_none() && self.pattern.is_none()
    }

    /// Writes the texts that a request gives as a value of type `ty`. Only lists take several.
    ///
    /// # Errors
    /// What is wrong with them, in words for the client.
    pub fn coerce_texts(
        &self,
        (schema, ty): (&Schema, &TypeRef),
        texts: &[Cow<'_, str>],
        out: &mut dyn Sink,
    ) -> Result<(), Vec<InvalidInput>> {
        if texts.len() > 1 && ty.item().is_none() {
            return Err(vec![InvalidInput::new("is given more than once")]);
        }
        if let Some(wrong) = texts.iter().find_map(|text| self.check(text).err()) {
            return Err(vec![wrong]);
        }
        coerce(schema, &Input::Texts(texts), ty, out)
    }

    /// The same for a default. A number may stand where a text is wanted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn coerce_value(
        &self,
        (schema, ty): (&Schema, &TypeRef),
        value: &Value<'_>,
        out: &mut dyn Sink,
    ) -> Result<(), Vec<InvalidInput>> {
        self.check_value(value).map_err(|wrong| vec![wrong])?;
        match key_text(value).filter(|_| value.number().is_some()) {
            Some(text) => coerce(schema, &Input::Text(&text), ty, out),
            None => coerce(schema, &Input::Json(value.clone()), ty, out),
        }
    }

    /// Holds a value to the bounds: a scalar, or each of a list. Null breaks none.
    ///
    /// # Errors
    /// The first bound that it breaks, in words for the client.
    pub fn check_value(&self, value: &Value<'_>) -> Result<(), InvalidInput> {
        let only = if value.elements().is_none() { key_text(value) } else { None };
        let mut texts = value.elements().into_iter().flatten().filter_map(|item| key_text(&item)).chain(only);
        texts.try_for_each(|text| self.check(&text))
    }

    /// Holds one text to the bounds.
    ///
    /// # Errors
    /// The first bound that it breaks, in words for the client.
    fn check(&self, text: &str) -> Result<(), InvalidInput> {
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| **allowed == *text) {
            return Err(InvalidInput::new(format!("must be one of {}", self.allowed.join(", "))));
        }
        self.check_range(text)?;
        match &self.pattern {
            Some((written, pattern)) if !pattern.is_in(text) => {
                Err(InvalidInput::new(format!("must match {written} from beginning to end")))
            }
            _ => Ok(()),
        }
    }

    fn check_range(&self, text: &str) -> Result<(), InvalidInput> {
        if self.min.is_none() && self.max.is_none() {
            return Ok(());
        }
        let (measure, verb, unit) = match (self.counts, text.parse::<f64>()) {
            (false, _) => (text.chars().count() as f64, "have", " characters"),
            (true, Ok(number)) => (number, "be", ""),
            // What is no number is refused by its type, with better words.
            (true, Err(_)) => return Ok(()),
        };
        let beyond = |side: &str, bound: f64| {
            Err(InvalidInput::new(format!("must {verb} at {side} {}{unit}", as_written(bound))))
        };
        match (self.min, self.max) {
            (Some(min), _) if measure < min => beyond("least", min),
            (_, Some(max)) if measure > max => beyond("most", max),
            _ => Ok(()),
        }
    }
}

/// A bound as people write it.
fn as_written(number: f64) -> String {
    let mut out = JsonWriter::default();
    match out.double(number) {
        Ok(()) => String::from_utf8_lossy(&out.bytes).into_owned(),
        Err(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Bounds;
    use crate::expr::Pattern;

    fn said(bounds: &Bounds, text: &str) -> String {
        bounds.check(text).err().map(|wrong| wrong.reason).unwrap_or_default()
    }

    #[test]
    fn numbers_are_bounded_by_value_and_texts_by_length() {
        let numbers = Bounds { counts: true, min: Some(1.5), max: Some(1e3), ..Bounds::default() };
        assert_eq!(said(&numbers, "1.5"), "");
        assert_eq!(said(&numbers, "-2"), "must be at least 1.5");
        assert_eq!(said(&numbers, "1001"), "must be at most 1000");
        let texts = Bounds { min: Some(2.0), max: Some(3.0), ..Bounds::default() };
        assert_eq!(said(&texts, "éé"), "");
        assert_eq!(said(&texts, "a"), "must have at least 2 characters");
        assert_eq!(said(&texts, "abcd"), "must have at most 3 characters");
    }

    #[test]
    fn a_pattern_holds_for_the_whole_text() {
        let compiled = Pattern::compile_whole("[a-z]+").expect("a pattern");
        let bounds = Bounds { pattern: Some(("[a-z]+".into(), compiled)), ..Bounds::default() };
        assert_eq!(said(&bounds, "abc"), "");
        assert_eq!(said(&bounds, "abc1"), "must match [a-z]+ from beginning to end");
    }
}
