//! Numbers as expressions see them.

use std::cmp::Ordering;

/// A number of one of CEL's three types.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A signed 64-bit integer.
    Int(i64),
    /// An unsigned 64-bit integer.
    Uint(u64),
    /// An IEEE 754 double.
    Double(f64),
}

impl Number {
    /// The nearest double.
    pub fn to_double(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Uint(n) => n as f64,
            Self::Double(n) => n,
        }
    }

    /// The order by exact mathematical value across types; `None` beside a NaN.
    /// Source: CEL language definition, "Numeric values" (heterogeneous comparison).
    pub fn compare(self, other: Self) -> Option<Ordering> {
        use Number::{Double, Int, Uint};
        match (self, other) {
            (Int(a), Int(b)) => Some(a.cmp(&b)),
            (Uint(a), Uint(b)) => Some(a.cmp(&b)),
            (Int(a), Uint(b)) => Some(i128::from(a).cmp(&i128::from(b))),
            (Uint(a), Int(b)) => Some(i128::from(a).cmp(&i128::from(b))),
            (Double(a), Double(b)) => a.partial_cmp(&b),
            (Double(a), Int(b)) => compare_double(a, i128::from(b)),
            (Double(a), Uint(b)) => compare_double(a, i128::from(b)),
            (Int(a), Double(b)) => compare_double(b, i128::from(a)).map(Ordering::reverse),
            (Uint(a), Double(b)) => compare_double(b, i128::from(a)).map(Ordering::reverse),
        }
    }

    /// The integer that this is exactly, if it is one and fits.
    pub fn to_int(self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(n),
            Self::Uint(n) => i64::try_from(n).ok(),
            Self::Double(n) if n.fract() == 0.0 && (-(2f64.powi(63))..2f64.powi(63)).contains(&n) => Some(n as i64),
            Self::Double(_) => None,
        }
    }
}

/// Orders a double and an integer of at most 65 bits without rounding either.
fn compare_double(a: f64, b: i128) -> Option<Ordering> {
    if a.is_nan() {
        return None;
    }
    if a.abs() >= 2f64.powi(65) {
        return Some(if a > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    let whole = a.trunc();
    Some((whole as i128).cmp(&b).then_with(|| a.partial_cmp(&whole).unwrap_or(Ordering::Equal)))
}
