//! Values that are looked at where they go: what a declared type forbids to be null, where load could not tell
//! that it is not, and what a contract promises of all that is inside.

use super::Node;
use crate::base::value::Value;
use crate::expr::promise::Inner;
use crate::expr::types::Type;

/// See [`Node::Inspected`].
#[derive(Clone, Debug)]
pub struct Inspected {
    /// What gives the value.
    pub node: Node,
    /// What of the value must not be null.
    pub demand: Demand,
    /// What a contract promises of what is inside the value.
    pub promised: Option<Inner>,
}

impl Node {
    /// A value that is a failure where `demand` is not met.
    #[must_use]
    pub fn demanded(self, demand: Demand) -> Self {
        let Inspected { node, promised, .. } = self.inspected();
        Self::Inspected(Box::new(Inspected { node, demand, promised }))
    }

    /// A value of this type that is passed on whole: a contract's promises about all that is inside are looked
    /// after.
    #[must_use]
    pub fn passed_on(self, ty: &Type) -> Self {
        self.promised(Inner::of(ty))
    }

    /// A list of this type that is walked: a contract's promises about its items are looked after.
    #[must_use]
    pub fn walked(self, ty: &Type) -> Self {
        self.promised(Inner::of_items(ty))
    }

    fn promised(self, promised: Option<Inner>) -> Self {
        if promised.is_none() {
            return self;
        }
        Self::Inspected(Box::new(Inspected { promised, ..self.inspected() }))
    }

    fn inspected(self) -> Inspected {
        match self {
            Self::Inspected(inspected) => *inspected,
            node => Inspected { node, demand: Demand::default(), promised: None },
        }
    }
}

/// What of a value must not be null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Whether the value itself.
    pub itself: bool,
    /// What of its items, where it is a list.
    pub items: Option<Box<Demand>>,
}

impl Demand {
    /// The demand that a value itself is not null.
    pub fn present() -> Self {
        Self { itself: true, items: None }
    }

    /// Whether a value meets it.
    pub fn is_met(&self, value: &Value<'_>) -> bool {
        match (value, &self.items) {
            (Value::Null | Value::Optional(None), _) => !self.itself,
            (Value::Optional(Some(held)), _) => self.is_met(held),
            (list, Some(demand)) => list.elements().is_none_or(|mut items| items.all(|item| demand.is_met(&item))),
            (_, None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Demand;
    use crate::base::value::Value;

    #[test]
    fn a_demand_is_about_a_value_and_its_items() {
        let list = |items: Vec<Value<'static>>| Value::List(items.into());
        let items = Demand { itself: false, items: Some(Box::new(Demand::present())) };
        for (demand, value, is_met) in [
            (Demand::present(), Value::Int(0), true),
            (Demand::present(), Value::Null, false),
            (Demand::present(), Value::Optional(None), false),
            (Demand::present(), Value::Optional(Some(Value::Null.into())), false),
            (Demand::present(), list(vec![Value::Null]), true),
            (items.clone(), Value::Null, true),
            (items.clone(), list(vec![]), true),
            (items.clone(), list(vec![Value::Int(1), Value::Null]), false),
            (items, Value::Int(1), true),
        ] {
            assert_eq!(demand.is_met(&value), is_met, "{demand:?} {value:?}");
        }
    }
}
