//! What a write makes wrong (RFC 9111 section 4.4).

use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, StatusCode, Uri};

/// The targets whose kept replies are wrong after an unsafe request: its own, and those that the reply names, as far as
/// they are at one of `authorities`. Nothing if it failed, or if it was safe.
pub fn invalidated(
    (method, target): (&Method, &str),
    (status, headers): (StatusCode, &HeaderMap),
    authorities: &[&str],
) -> Vec<String> {
    if method.is_safe() || !(status.is_success() || status.is_redirection()) {
        return Vec::new();
    }
    let named = [LOCATION, CONTENT_LOCATION].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let same_origin = named.filter_map(|reference| {
        let uri: Uri = reference.parse().ok()?;
        let is_here = uri.authority().is_none_or(|authority| authorities.contains(&authority.as_str()));
        let path = uri.path_and_query()?.as_str();
        (is_here && path.starts_with('/')).then(|| path.to_owned())
    });
    std::iter::once(target.to_owned()).chain(same_origin).collect()
}
