//! Cookies of answers: `HttpOnly; Secure; SameSite=Lax` unless said.

use super::unit::Unit;
use crate::expr::Type;
use crate::plan;
use crate::spec::{Cookie, Named, SameSite, WordOr};

/// What an expression for a cookie's end must give, and how the mistake is told.
struct Wanted {
    key: &'static str,
    ty: Type,
    noun: &'static str,
    help: &'static str,
}

const MAX_AGE: Wanted = Wanted {
    key: "max_age",
    ty: Type::Duration,
    noun: "a duration",
    help: "write a duration such as 48h, or `${duration(…)}`",
};

const EXPIRES: Wanted = Wanted {
    key: "expires",
    ty: Type::Timestamp,
    noun: "a time",
    help: "write a time such as 2026-12-31T18:00:00Z, or `${timestamp(…)}`",
};

/// A `Set-Cookie` field. Source: RFC 6265 section 4.1; for `Partitioned`, the draft on cookies with independent
/// partitioned state.
pub(super) fn cookie(unit: &Unit<'_, '_>, named: &Named<Cookie>) -> plan::Cookie {
    let (planner, cookie) = (unit.planner, &named.value);
    let node = planner.single(&cookie.value, ("a cookie", &unit.names_of(0)), &named.path);
    let mut attributes = String::new();
    if let Some(WordOr::Word(age)) = &cookie.max_age {
        // Rounded up, because zero would remove it.
        attributes.push_str(&format!("; Max-Age={}", age.value.as_millis().div_ceil(1_000)));
    }
    if let Some(WordOr::Word(time)) = &cookie.expires {
        attributes.push_str(&format!("; Expires={}", time.value.to_http_date()));
    }
    attributes.push_str(&format!("; Path={}", cookie.path.as_ref().map_or("/", |path| &path.value.0)));
    if let Some(domain) = &cookie.domain {
        attributes.push_str(&format!("; Domain={}", domain.value.0));
    }
    if cookie.http_only.as_ref().is_none_or(|only| only.value) {
        attributes.push_str("; HttpOnly");
    }
    if cookie.secure.as_ref().is_none_or(|secure| secure.value) {
        attributes.push_str("; Secure");
    }
    attributes.push_str(match cookie.same_site.as_ref().map(|site| site.value) {
        Some(SameSite::Strict) => "; SameSite=Strict",
        Some(SameSite::None) => "; SameSite=None",
        Some(SameSite::Lax) | None => "; SameSite=Lax",
    });
    if cookie.partitioned.as_ref().is_some_and(|partitioned| partitioned.value) {
        attributes.push_str("; Partitioned");
    }
    plan::Cookie {
        name: named.name.value.as_str().into(),
        value: plan::Expr { needs: unit.needs(&[&node]).into(), node },
        max_age: computed(unit, cookie.max_age.as_ref(), &MAX_AGE, &named.path),
        expires: computed(unit, cookie.expires.as_ref(), &EXPIRES, &named.path),
        attributes: attributes.into(),
    }
}

/// The program of an end that an expression says.
fn computed<W>(unit: &Unit<'_, '_>, written: Option<&WordOr<W>>, wanted: &Wanted, cookie: &str) -> Option<plan::Expr> {
    let WordOr::Expression(scalar) = written? else { return None };
    let path = format!("{cookie}.{}", wanted.key);
    let value = unit.planner.scalar(scalar, &unit.names_of(0), &path);
    let is_known = !matches!(value.ty.present(), Type::Dyn | Type::Null);
    if is_known && std::mem::discriminant(value.ty.present()) != std::mem::discriminant(&wanted.ty) {
        let message = format!("`{}` is {}, and this is {}", wanted.key, wanted.noun, value.ty);
        unit.planner.report.error("wrong-type", (&scalar.place, &path), message, wanted.help.to_owned());
    }
    Some(plan::Expr { needs: unit.needs(&[&value.node]).into(), node: value.node })
}
