//! Cookies of answers: `HttpOnly; Secure; SameSite=Lax` unless said.

use super::unit::Unit;
use crate::expr::Type;
use crate::plan;
use crate::spec::{Cookie, MaxAge, Named, SameSite, Scalar};

/// A `Set-Cookie` field. Source: RFC 6265 section 4.1.
pub(super) fn cookie(unit: &Unit<'_, '_>, named: &Named<Cookie>) -> plan::Cookie {
    let (planner, cookie) = (unit.planner, &named.value);
    let node = planner.scalar(&cookie.value, &unit.names_of(0), &named.path).node;
    let mut rest = String::new();
    let max_age = match &cookie.max_age {
        Some(MaxAge::Fixed(age)) => {
            rest.push_str(&format!("; Max-Age={}", age.value.as_secs()));
            None
        }
        Some(MaxAge::Expression(scalar)) => Some(max_age(unit, scalar, &format!("{}.max_age", named.path))),
        None => None,
    };
    let path = cookie.path.as_ref().map_or("/", |path| path.value.as_str());
    rest.push_str(&format!("; Path={path}"));
    if let Some(domain) = &cookie.domain {
        rest.push_str(&format!("; Domain={}", domain.value));
    }
    if cookie.http_only.as_ref().is_none_or(|only| only.value) {
        rest.push_str("; HttpOnly");
    }
    if cookie.secure.as_ref().is_none_or(|secure| secure.value) {
        rest.push_str("; Secure");
    }
    rest.push_str(match cookie.same_site.as_ref().map(|site| site.value) {
        Some(SameSite::Strict) => "; SameSite=Strict",
        Some(SameSite::None) => "; SameSite=None",
        Some(SameSite::Lax) | None => "; SameSite=Lax",
    });
    let value = plan::Expr { needs: unit.needs(&[&node]).into(), node };
    plan::Cookie { name: named.name.value.as_str().into(), value, max_age, attributes: rest.into() }
}

/// An expression that yields how long a cookie is kept.
fn max_age(unit: &Unit<'_, '_>, scalar: &Scalar, path: &str) -> plan::Expr {
    let value = unit.planner.scalar(scalar, &unit.names_of(0), path);
    if !matches!(value.ty.present(), Type::Duration | Type::Dyn | Type::Null) {
        let message = format!("`max_age` is a duration, and this is {}", value.ty);
        let help = "write a duration such as 48h, or `${duration(…)}`".to_owned();
        unit.planner.report.error("wrong-type", (&scalar.place, path), message, help);
    }
    plan::Expr { needs: unit.needs(&[&value.node]).into(), node: value.node }
}
