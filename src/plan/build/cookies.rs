//! Cookies of answers: `HttpOnly; Secure; SameSite=Lax` unless said.

use super::unit::Unit;
use crate::plan;
use crate::spec::{Cookie, MaxAge, NOT_SUPPORTED_YET, Named, SameSite};

/// A `Set-Cookie` field. Source: RFC 6265 section 4.1.
pub(super) fn cookie(unit: &Unit<'_, '_>, named: &Named<Cookie>) -> plan::Cookie {
    let (planner, cookie) = (unit.planner, &named.value);
    let node = planner.scalar(&cookie.value, &unit.names_of(0), &named.path).node;
    let mut rest = String::new();
    match &cookie.max_age {
        Some(MaxAge::Fixed(age)) => rest.push_str(&format!("; Max-Age={}", age.value.as_secs())),
        Some(MaxAge::Expression(scalar)) => {
            let message = "an expression for `max_age` is not supported by this version".to_owned();
            planner.report.error(
                NOT_SUPPORTED_YET,
                (&scalar.place, &named.path),
                message,
                "write a duration".to_owned(),
            );
        }
        None => {}
    }
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
    plan::Cookie { name: named.name.value.as_str().into(), value, attributes: rest.into() }
}
