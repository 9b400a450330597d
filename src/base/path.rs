//! Where inside a value something is: the way from the value to one of its parts.

use std::fmt;

/// Mistakes of one value that are told at most: enough to mend a request, and no answer without end.
pub const MISTAKE_LIMIT: usize = 100;

/// The way from a value to one of its parts; empty for the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// From outside to inside.
    steps: Vec<Step>,
}

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the member of this name, whatever stands in the name.
    Member(Box<str>),
    /// To the item at this position.
    Item(usize),
}

impl Path {
    /// Whether it leads nowhere else.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Goes one step further inside.
    pub fn push(&mut self, step: impl Into<Step>) {
        self.steps.push(step.into());
    }

    /// Goes back by one step.
    pub fn pop(&mut self) {
        self.steps.pop();
    }

    /// The same way one step further inside.
    #[must_use]
    pub fn to(&self, step: impl Into<Step>) -> Self {
        let mut path = self.clone();
        path.push(step);
        path
    }

    /// Begins the way further outside: with `outer`.
    pub fn begin_with(&mut self, outer: &Self) {
        self.steps.splice(..0, outer.steps.iter().cloned());
    }

    /// Begins the way one step further outside.
    pub fn begin_at(&mut self, step: impl Into<Step>) {
        self.steps.insert(0, step.into());
    }

    /// The way as a JSON pointer (RFC 6901).
    pub fn pointer(&self) -> String {
        let step = |step: &Step| match step {
            Step::Member(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Item(at) => format!("/{at}"),
        };
        self.steps.iter().map(step).collect()
    }
}

/// For people: `items[2].price`, and `labels["a.b"]` where a name could be read as more than one step.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Item(at) => write!(f, "[{at}]")?,
                Step::Member(name) if !is_plain(name) => write!(f, "[{name:?}]")?,
                Step::Member(name) if at == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|c: char| matches!(c, '.' | '[' | ']' | '"') || c.is_whitespace() || c.is_control())
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::Member(name.into())
    }
}

impl From<usize> for Step {
    fn from(at: usize) -> Self {
        Self::Item(at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, Step};

    fn path(steps: &[Step]) -> Path {
        Path { steps: steps.to_vec() }
    }

    #[test]
    fn a_path_is_shown_to_people_and_to_programs() {
        for (steps, shown, pointer) in [
            (&[][..], "", ""),
            (&["items".into(), 2.into(), "price".into()], "items[2].price", "/items/2/price"),
            (&[0.into(), 1.into()], "[0][1]", "/0/1"),
            (&["labels".into(), "a.b/c~d".into()], "labels[\"a.b/c~d\"]", "/labels/a.b~1c~0d"),
            (&["x-size".into(), "".into(), "7".into()], "x-size[\"\"].7", "/x-size//7"),
        ] {
            let path = path(steps);
            assert_eq!((path.to_string().as_str(), path.pointer().as_str()), (shown, pointer));
        }
    }

    #[test]
    fn a_path_grows_on_both_ends() {
        let mut inner = path(&["b".into()]);
        inner.begin_at(3);
        inner.begin_with(&path(&["order".into(), "a".into()]));
        assert_eq!(inner.to("c").to_string(), "order.a[3].b.c");
    }
}
